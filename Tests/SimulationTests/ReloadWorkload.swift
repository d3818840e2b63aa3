import Engine
import Kernel
import Primitives
import Routing
import SimulatedKernel

/// Draws simulations in which one plan follows another while clients talk: a TCP and a UDP
/// listener that are in every plan, others that come and go, and clusters that change.
enum ReloadWorkload {
    private static let staying = SocketAddress.ip(.loopbackIPv4, port: 80)
    private static let stayingDatagrams = SocketAddress.ip(.loopbackIPv4, port: 53)
    private static let passing = (81...83).map { SocketAddress.ip(.loopbackIPv4, port: $0) }
    private static let endpoints = (9_000..<9_003).map {
        SocketAddress.ip(.loopbackIPv4, port: $0)
    }
    private static let plansMax = 12

    static func draw(seed: UInt64, destructive: Bool) throws -> Simulation {
        var random = SeededRandom(seed: seed &* 2 &+ (destructive ? 1 : 0))
        var faults = FaultProfile.swarm(from: &random, destructive: destructive)
        // A datagram for which there is no room is lost, as on every network.
        if !destructive { faults.sendWouldBlock = 0 }
        let simulation = try Simulation(
            seed: seed, faults: faults, settings: WorkerSettings(connectionsMax: 64))
        addPeers(to: simulation, &random, destructive: destructive)
        let spread: UInt64 = [2_000_000, 100_000_000, 3_000_000_000].randomElement(using: &random)!
        simulation.publish(plan(&random, destructive: destructive), drainNanoseconds: 0)
        for _ in 0..<Int.random(in: 1...plansMax, using: &random) {
            let next = plan(&random, destructive: destructive)
            let drain = UInt64.random(in: 0...spread, using: &random)
            simulation.kernel.after(UInt64.random(in: 0...spread, using: &random)) {
                [unowned simulation] in
                simulation.publish(next, drainNanoseconds: drain)
            }
        }
        for place in 0..<Int.random(in: 1...8, using: &random) {
            // Only those of the listener that stays can be sure of an answer.
            let others = destructive ? passing : []
            let script = StreamScript.draw(
                &random, maySpeakSecond: false, misbehaves: destructive)
            simulation.connect(
                from: Simulation.client(place),
                to: (others + [staying]).randomElement(using: &random)!,
                after: UInt64.random(in: 0...spread, using: &random), script)
        }
        return simulation
    }

    private static func addPeers(
        to simulation: Simulation, _ random: inout SeededRandom, destructive: Bool
    ) {
        var backends = SeededRandom(seed: random.next())
        for endpoint in endpoints {
            simulation.serve(at: endpoint) {
                StreamScript.draw(&backends, maySpeakSecond: true, misbehaves: destructive)
            }
            simulation.serveDatagrams(at: endpoint)
        }
        for place in 0..<Int.random(in: 0...3, using: &random) {
            simulation.addDatagramClient(
                DatagramClient(
                    number: UInt32(place), kernel: simulation.kernel,
                    address: Simulation.client(100 + place), listener: stayingDatagrams,
                    countMax: Int.random(in: 1...40, using: &random), sizeMax: 1_400))
        }
    }

    /// The listeners that stay and some of the others, before clusters of some endpoints.
    private static func plan(_ random: inout SeededRandom, destructive: Bool) -> Plan {
        var plan = Plan()
        plan.clusters = (0..<Int.random(in: 1...4, using: &random)).map { _ in
            Simulation.cluster(
                Array(
                    endpoints.shuffled(using: &random).prefix(.random(in: 1...3, using: &random))),
                udp: UDPFlowPlan(idleTimeoutMilliseconds: 5_000))
        }
        let isLimited = destructive && Bool.random(using: &random)
        let stream = ListenerPlan.Transport.tcp(
            TCPListenerPlan(
                idleTimeoutMilliseconds: 30_000,
                connectionsMax: isLimited ? .random(in: 1...4, using: &random) : nil,
                keepalive: Bool.random(using: &random) ? TCPKeepalive(idleSeconds: 60) : nil))
        var wanted = [(staying, stream), (stayingDatagrams, .udp(UDPListenerPlan()))]
        wanted += passing.filter { _ in Bool.random(using: &random) }.map { ($0, stream) }
        wanted.shuffle(using: &random)
        plan.listeners = wanted.map { address, transport in
            let backends = plan.clusters.indices.map {
                WeightedBackend(cluster: $0, weight: .random(in: 1...3, using: &random))
            }
            return ListenerPlan(
                name: "default/gateway/\(address)", addresses: [address], transport: transport,
                route: RoutePlan(name: "Route/default/r", backends: backends))
        }
        return plan
    }
}
