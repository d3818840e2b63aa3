import CLinux
import Engine
import Kernel
import Primitives
import Routing
import SimulatedKernel
import Traffic

/// Draws a simulation from a seed: settings, plan, clients, backends, faults.
enum Workload {
    static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)

    /// Where a worker listens, and where its clients connect.
    private static func listener(_ random: inout SeededRandom) -> (SocketAddress, SocketAddress) {
        switch Int.random(in: 0..<4, using: &random) {
        // A socket for both families, which sees IPv4 clients by mapped addresses.
        case 0: (.ip(.anyIPv6, port: 80), listener)
        case 1: (.unix(path: "@apus"), .unix(path: "@apus"))
        default: (listener, listener)
        }
    }

    private static func endpoint(_ place: Int, _ random: inout SeededRandom) -> SocketAddress {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .unix(path: "/run/backend-\(place)")
        case 1: .ip(.loopbackIPv6, port: UInt16(9_000 + place))
        default: .ip(IPAddress(v4: 0x7f00_0001), port: UInt16(9_000 + place))
        }
    }

    private static func features(_ random: inout SeededRandom) -> KernelFeatures {
        var features = KernelFeatures.all
        for (feature, _) in KernelFeatures.names where Int.random(in: 0..<6, using: &random) == 0 {
            features.remove(feature)
        }
        return features
    }

    static func streams(seed: UInt64, destructive: Bool) throws -> Simulation {
        var random = SeededRandom(seed: seed &* 2 &+ (destructive ? 1 : 0))
        let faults = FaultProfile.swarm(from: &random, destructive: destructive)
        let count = Int.random(in: 1...8, using: &random)
        // Without misbehaviour every connection must find room.
        let connectionsMax = destructive ? [4, 16, 64].randomElement(using: &random)! : 64
        let header: [ClusterPlan.ProxyHeader] = [.none, .none, .v1, .v2]
        let cluster = header.randomElement(using: &random)!
        let expected = [TCPListenerPlan.ProxyHeader.none, .none, .optional, .required]
            .randomElement(using: &random)!
        let isTLS = Int.random(in: 0..<3, using: &random) == 0
        let ends = isTLS && Bool.random(using: &random) ? try ServerCertificate.makeServer() : nil
        let client = ends == nil ? nil : try ServerCertificate.makeClient()
        let hello = isTLS && ends == nil ? hello(&random) : []
        let endpointTLS = endpointTLS(&random)
        let holdsNothing = cluster == .none && expected == .none && !isTLS && endpointTLS == nil
        let simulation = try Simulation(
            seed: seed, faults: faults,
            settings: settings(connectionsMax: connectionsMax, holdsNothing: holdsNothing, &random),
            features: features(&random))
        simulation.kernel.socketCapacities =
            [[4_096], [16_384, 65_536, 212_992], [65_536, 1_048_576]].randomElement(using: &random)!
        let endpoints = (0..<Int.random(in: 1...3, using: &random)).map { endpoint($0, &random) }
        let (address, target) = listener(&random)
        simulation.addListener(
            on: address,
            .tcp(
                TCPListenerPlan(
                    proxyHeader: expected, inspectionTimeoutMilliseconds: 15_000,
                    idleTimeoutMilliseconds: 30_000,
                    connectionsMax: destructive && Bool.random(using: &random) ? 2 : nil)),
            to: [Simulation.cluster(endpoints, header: cluster, tls: endpointTLS)],
            serverName: isTLS ? .suffix(".example.com") : nil, ends: ends)
        // Whether a header is to come is only known when the client speaks.
        let clientsWait = expected != .optional && Bool.random(using: &random)
        let endpointEnds = endpointTLS != nil ? try ServerCertificate.makeServer() : nil
        var backends = SeededRandom(seed: random.next())
        for endpoint in endpoints {
            let isDeaf =
                endpointTLS != nil && destructive && Int.random(in: 0..<4, using: &random) == 0
            let service = simulation.serve(
                at: endpoint, awaitsHeader: cluster != .none && !isDeaf, helloAwaited: hello,
                ends: isDeaf ? nil : endpointEnds
            ) {
                var script = StreamScript.draw(
                    &backends, maySpeakSecond: !clientsWait, misbehaves: destructive)
                script.isDeaf = isDeaf
                return script
            }
            if destructive { spoil(service, &random) }
        }
        let spread: UInt64 = [0, 20_000_000, 1_000_000_000].randomElement(using: &random)!
        for place in 0..<count {
            var script = StreamScript.draw(
                &random, maySpeakSecond: clientsWait, misbehaves: destructive)
            addPreamble(to: &script, expected, place, &random, misbehaves: destructive)
            script.hello = hello
            if isTLS, ends == nil, destructive { spoilHello(of: &script, &random) }
            simulation.connect(
                from: address == target && address != listener ? nil : Simulation.client(place),
                to: target, after: UInt64.random(in: 0...spread, using: &random), over: client,
                script)
        }
        if destructive { endEarly(simulation, within: spread, &random) }
        return simulation
    }

    private static func endEarly(
        _ simulation: Simulation, within spread: UInt64, _ random: inout SeededRandom
    ) {
        guard Int.random(in: 0..<3, using: &random) == 0 else { return }
        let isStop = Bool.random(using: &random)
        simulation.kernel.after(UInt64.random(in: 0...spread, using: &random)) {
            [unowned simulation] in
            let deadline = simulation.kernel.clock + 1_000_000_000
            simulation.post(isStop ? .stop : .drain(deadline: deadline))
        }
    }

    private static func endpointTLS(_ random: inout SeededRandom) -> UpstreamTLSPlan? {
        guard Int.random(in: 0..<4, using: &random) == 0 else { return nil }
        var plan = ServerCertificate.trusting
        if Bool.random(using: &random) { plan.settings.versionMax = .v1_2 }
        return plan
    }

    private static func settings(
        connectionsMax: Int, holdsNothing: Bool, _ random: inout SeededRandom
    ) -> WorkerSettings {
        WorkerSettings(
            connectionsMax: connectionsMax, features: .all,
            // So few are all with the kernel, and none is left to gather or write a header in.
            buffersMax: [holdsNothing ? 4 : 96, 128, 2048].randomElement(using: &random)!,
            pipesMax: [0, 1, 64].randomElement(using: &random)!)
    }

    private static func spoil(_ service: StreamService, _ random: inout SeededRandom) {
        guard Int.random(in: 0..<4, using: &random) == 0 else { return }
        service.manner = Bool.random(using: &random) ? .refusing : .silent
    }

    /// In records of any size; some are longer than one buffer.
    private static func hello(_ random: inout SeededRandom) -> [UInt8] {
        let padding = [0, 500, 16_000, 20_000].randomElement(using: &random)!
        let size = [padding < 1_000 ? 1 : 400, 900, 16_384].randomElement(using: &random)!
        return HelloBytes(.padding(padding), .serverName("a.example.com")).records(of: size)
    }

    private static func spoilHello(of script: inout StreamScript, _ random: inout SeededRandom) {
        guard Int.random(in: 0..<4, using: &random) == 0 else { return }
        script.isPreambleGood = false
        switch Int.random(in: 0..<5, using: &random) {
        case 0: script.hello = Array("GET / HTTP/1.1\r\n".utf8)
        case 1: script.hello = HelloBytes(.serverName("a.example.net")).records()
        case 2: script.hello = HelloBytes().records()
        case 3: script.hello = HelloBytes(.padding(33_000)).records()
        default: script.hello = [22, 3, 1, 0, 0]
        }
    }

    private static func addPreamble(
        to script: inout StreamScript, _ expected: TCPListenerPlan.ProxyHeader, _ place: Int,
        _ random: inout SeededRandom, misbehaves: Bool
    ) {
        let isLeftOut = expected == .optional && Bool.random(using: &random)
        guard expected != .none, !isLeftOut else { return }
        script.preambleSource = .ip(IPAddress(v4: 0xc000_0201), port: UInt16(1_000 + place))
        script.preamble = Array("PROXY TCP4 192.0.2.1 198.51.100.7 \(1_000 + place) 443\r\n".utf8)
        guard misbehaves, Int.random(in: 0..<6, using: &random) == 0 else { return }
        script.isPreambleGood = false
        // Without a header the bytes are the client's own where it is optional.
        let bad =
            ["PROXY TCP4 192.0.2.01 198.51.100.7 99999 443\r\n"]
            + (expected == .required ? ["", "GET / HTTP/1.1\r\n"] : [])
        script.preamble = Array(bad.randomElement(using: &random)!.utf8)
    }

    static func datagrams(seed: UInt64, destructive: Bool) throws -> Simulation {
        var random = SeededRandom(seed: seed &* 2 &+ (destructive ? 1 : 0))
        var faults = FaultProfile.swarm(from: &random, destructive: destructive)
        // A datagram for which there is no room is lost, as on every network.
        if !destructive { faults.sendWouldBlock = 0 }
        let simulation = try Simulation(
            seed: seed, faults: faults,
            settings: WorkerSettings(connectionsMax: destructive ? 6 : 64, features: .all),
            features: features(&random))
        let endpoints = (0..<Int.random(in: 1...3, using: &random)).map {
            SocketAddress.ip(.loopbackIPv4, port: UInt16(9_000 + $0))
        }
        let answers: UInt32? = destructive && Bool.random(using: &random) ? 1 : nil
        let udp = UDPFlowPlan(idleTimeoutMilliseconds: 5_000, expectedResponses: answers)
        simulation.addListener(
            on: listener,
            .udp(
                UDPListenerPlan(
                    flowsMax: destructive ? 4 : 64, flowsPerSourceMax: destructive ? 2 : 64)),
            to: [Simulation.cluster(endpoints, udp: udp)])
        for endpoint in endpoints
        where !destructive || Int.random(in: 0..<4, using: &random) > 0 {
            simulation.serveDatagrams(at: endpoint)
        }
        let sizeMax = [64, 1_400, 9_000].randomElement(using: &random)!
        for place in 0..<Int.random(in: 1...8, using: &random) {
            simulation.addDatagramClient(
                DatagramClient(
                    number: UInt32(place), kernel: simulation.kernel,
                    address: Simulation.client(place), listener: listener,
                    countMax: Int.random(in: 1...40, using: &random), sizeMax: sizeMax))
        }
        return simulation
    }
}
