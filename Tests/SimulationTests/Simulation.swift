import CLinux
import Discovery
import Kernel
import Primitives
import Routing
import SimulatedKernel
import TLS
import Wire

@testable import Engine

/// A whole worker in a simulated kernel with clients and backends around it: set up, run to the
/// end, and looked through for what must never be. Owned by one test.
final class Simulation {
    let seed: UInt64
    let kernel: SimulatedKernel
    let handle: WorkerHandle
    /// Behind a pointer, so that a run that went wrong can leave it as it is: its destructors would
    /// trap, and the seed would never be told.
    private let worker: UnsafeMutablePointer<Worker<SimulatedRing>>
    private(set) var isRunning = true
    private(set) var clients: [StreamActor] = []
    private(set) var backends: [StreamActor] = []
    var requesters: [RequestActor] = []
    var answerers: [AnswerActor] = []
    var frameRequesters: [FrameRequestActor] = []
    var frameAnswerers: [FrameAnswerActor] = []
    private(set) var datagramClients: [DatagramClient] = []
    private(set) var datagramEchoes: [DatagramEcho] = []
    var plan = Plan()
    var sockets: [[Descriptor]] = []
    /// Of each listener what ends TLS.
    var tls: [[TLSServer?]] = []
    /// What speaks TLS with endpoints.
    private var tlsClients: [UpstreamTLSPlan: TLSClient] = [:]
    private let quiescence = Quiescence(readers: 1)
    private let attention: EndpointAttention
    /// Of the first plan's clusters.
    private(set) var endpoints: [ClusterEndpoints] = []
    private var plans: PlanSequence?
    private(set) var problems: [String] = []
    var counters: Counters { handle.counters }

    static let turnsMax = 400_000

    init(
        seed: UInt64, faults: FaultProfile = .none, settings: WorkerSettings? = nil,
        features: KernelFeatures = .all
    ) throws {
        self.seed = seed
        let settings = settings ?? WorkerSettings(connectionsMax: 64)
        kernel = SimulatedKernel(seed: seed, faults: faults)
        handle = try WorkerHandle(
            index: 0, settings: settings,
            budget: ConnectionBudget(countMax: settings.connectionsMax), quiescence: quiescence)
        attention = try EndpointAttention()
        worker = .allocate(capacity: 1)
        let ring = SimulatedRing(kernel: kernel, features: features)
        worker.initialize(to: Worker(ring: ring, handle: handle))
    }

    deinit {
        guard !isRunning, problems.isEmpty else { return }
        worker.deinitialize(count: 1)
        worker.deallocate()
    }

    // MARK: - Setting up

    /// Numbers for actors, never 0.
    private var numberNext: UInt64 = 0
    private func makeNumber() -> UInt64 {
        numberNext += 1
        return numberNext
    }

    static func client(_ place: Int) -> SocketAddress {
        .ip(IPAddress(v4: 0x0a00_0000 + UInt32(place)), port: UInt16(10_000 + place))
    }

    /// Adds a listener with one backendRef for each of `clusters`.
    /// - Returns: its place in the plan.
    @discardableResult
    func addListener(
        on address: SocketAddress, _ transport: ListenerPlan.Transport, to clusters: [ClusterPlan],
        authorization: AuthorizationPlan? = nil, routeAuthorization: AuthorizationPlan? = nil,
        serverName: HostPattern? = nil, ends: TLSServer? = nil
    ) -> Int {
        let first = plan.clusters.count
        plan.clusters += clusters
        let route = RoutePlan(
            name: "Route/default/\(plan.listeners.count)",
            backends: clusters.indices.map { WeightedBackend(cluster: first + $0, weight: 1) },
            authorization: routeAuthorization)
        let name = "default/gateway/\(plan.listeners.count)"
        let routes = serverName.map { host in
            ListenerPlan.Routes.tls([
                TLSServerPlan(
                    name: name, host: host,
                    mode: ends == nil
                        ? .passthrough([TLSRoutePlan(hosts: [host], route: route)])
                        : .terminate(
                            ServerCertificate.plan, [TLSRoutePlan(hosts: [host], route: route)]))
            ])
        }
        tls.append(serverName == nil ? [] : [ends])
        plan.listeners.append(
            ListenerPlan(
                name: name, addresses: [address], transport: transport,
                routes: routes ?? .opaque(route), authorization: authorization))
        if case .udp = transport {
            sockets.append([kernel.bind(on: address)])
        } else {
            sockets.append([kernel.listen(on: address)])
        }
        return plan.listeners.count - 1
    }

    static func cluster(
        _ endpoints: [SocketAddress], header: ClusterPlan.ProxyHeader = .none,
        connectTimeoutMilliseconds: UInt32 = 10_000, udp: UDPFlowPlan = UDPFlowPlan(),
        tls: UpstreamTLSPlan? = nil
    ) -> ClusterPlan {
        ClusterPlan(
            name: "default/backend", route: "Route/default/route",
            tiers: [endpoints.map { EndpointPlan(.address($0), tls: tls) }],
            connectTimeoutMilliseconds: connectTimeoutMilliseconds, proxyHeader: header, udp: udp)
    }

    /// Hands the worker its plan.
    func start() {
        guard plans == nil else { return }
        for case let plan? in plan.clusters.flatMap(\.tiers).joined().map(\.tls)
        where tlsClients[plan] == nil {
            do throws(TLSConfigurationFault) {
                tlsClients[plan] = try TLSClient(plan)
            } catch {
                fatalError("no TLS to endpoints: \(error)")
            }
        }
        endpoints = plan.clusters.map {
            ClusterEndpoints($0, quiescence: quiescence, attention: attention, tls: tlsClients)
        }
        let ends = tls.joined().contains { $0 != nil }
        post(
            .plan(
                WorkerPlan(
                    plan: plan, sockets: sockets, endpoints: endpoints, tls: ends ? tls : nil)))
    }

    /// Hands the worker its first or its next plan, with the sockets that it takes.
    func publish(_ plan: Plan, drainNanoseconds: UInt64) {
        let plans = plans ?? PlanSequence(kernel: kernel)
        self.plans = plans
        self.plan = plan
        post(.plan(plans.next(plan, drainDeadline: kernel.clock + drainNanoseconds)))
    }

    func post(_ message: WorkerMessage) {
        handle.post(message)
        kernel.wake()
    }

    /// Every connection to `address` is played by `script`.
    @discardableResult
    func serve(
        at address: SocketAddress, awaitsHeader: Bool = false, helloAwaited: [UInt8] = [],
        ends: TLSServer? = nil, _ script: @escaping () -> StreamScript
    ) -> StreamService {
        kernel.serve(at: address) { [unowned self] socket in
            backends.append(
                StreamActor(
                    script(), number: makeNumber(), socket: socket, kernel: kernel,
                    awaitsHeader: awaitsHeader, helloAwaited: helloAwaited, server: ends))
        }
    }

    /// A client connects after so many nanoseconds.
    func connect(
        from client: SocketAddress?, to address: SocketAddress, after delay: UInt64 = 0,
        over tls: TLSClient? = nil, _ script: StreamScript
    ) {
        kernel.after(delay) { [unowned self] in
            let socket = kernel.connect(from: client, to: address)
            clients.append(
                StreamActor(
                    script, number: makeNumber(), socket: socket, kernel: kernel, client: tls))
        }
    }

    func addDatagramClient(_ client: DatagramClient) { datagramClients.append(client) }

    func serveDatagrams(at address: SocketAddress) {
        datagramEchoes.append(DatagramEcho(kernel: kernel, address: address))
    }

    // MARK: - Running

    /// Turns the worker until `condition` holds; false when it ended or never holds.
    @discardableResult
    func run(until condition: () -> Bool) -> Bool {
        var turns = 0
        while !condition() {
            guard isRunning else { return false }
            isRunning = worker.pointee.turn()
            turns += 1
            if !kernel.defects.isEmpty {
                problems += kernel.defects
                return false
            }
            let isStuck = isRunning && kernel.sleepsForEver && !condition()
            if isStuck || turns > Self.turnsMax {
                problems.append("no end after \(turns) turns, at \(kernel.clock) ns; \(state)")
                return false
            }
        }
        return true
    }

    /// Until so much virtual time has passed.
    func run(milliseconds: UInt64) {
        let end = kernel.clock + milliseconds * 1_000_000
        var isOver = false
        kernel.after(milliseconds * 1_000_000) { [kernel] in
            isOver = true
            kernel.wake()
        }
        run { isOver && kernel.clock >= end }
    }

    /// Lets everything come to rest, checks that nothing is held, drains, and checks that nothing
    /// is left at all.
    func finish() {
        guard problems.isEmpty else { return }
        run { !isRunning || (kernel.sleepsForEver && liveCount == 0) }
        guard problems.isEmpty else { return }
        if isRunning {
            checkAtRest()
            post(.drain(deadline: kernel.clock + 60_000_000_000))
        }
        run { !isRunning }
        while kernel.step() {}
        guard problems.isEmpty else { return }
        checkAtEnd()
    }

    var liveCount: Int { Int(counters[.connectionsLive] + counters[.flowsLive]) }

    /// The most connections that ever lived together.
    var slotsPeak: Int { worker.pointee.connections.countPeak }
    var outcome: WorkerHandle.Outcome { worker.pointee.outcome }

    var state: String {
        "\(liveCount) live, \(kernel.operationsInFlight.count) operations, "
            + "\(kernel.pipesCount) pipes, \(kernel.openDescriptors.count) descriptors"
    }

    // MARK: - What must hold

    private func expect(_ condition: Bool, _ problem: @autoclosure () -> String) {
        if !condition { problems.append(problem()) }
    }

    /// Nothing lives: everything that a connection holds has been given back.
    func checkAtRest() {
        let worker = worker
        expect(worker.pointee.connections.count == 0, "a slot leaks")
        expect(worker.pointee.flows.count == 0, "a flow leaks")
        expect(worker.pointee.pipes.inUseCount == 0, "a pipe leaks")
        expect(handle.budget.countInUse == 0, "\(handle.budget.countInUse) of the budget leak")
        let stream = kernel.buffersPosted(in: BufferSize.streamGroup)
        expect(
            worker.pointee.streamBuffers.freeCount + stream == worker.pointee.streamBuffers.count,
            "stream buffers leak: \(worker.pointee.streamBuffers.freeCount) free, \(stream) posted")
        expect(worker.pointee.streamPosting.posted == stream, "posted buffers are miscounted")
        if worker.pointee.datagrams.isOpen {
            let posted = kernel.buffersPosted(in: BufferSize.datagramGroup)
            let desk = worker.pointee.datagrams.buffers.freeCount + posted
            expect(desk == DatagramDesk.buffersMax, "datagram buffers leak: \(desk) are known")
        }
        expect(worker.pointee.exchanges.count == 0, "an exchange leaks")
        expect(worker.pointee.idle.count == 0, "an idle connection leaks")
        expect(worker.pointee.streamCount == 0, "a stream leaks")
        expect(counters[.connectionsLive] + counters[.flowsLive] == 0, "live ones are miscounted")
        expect(ledCount == 0, "endpoints are said to serve \(ledCount)")
        for limits in endpoints.compactMap(\.limits) {
            let claims = limits.live + limits.pending + limits.requests + limits.retries
            expect(claims == 0, "\(claims) claims of a cluster leak")
        }
        checkRoster()
    }

    /// What every cluster's endpoints are said to serve.
    private var ledCount: Int {
        var count = 0
        var next: UInt32 = 0
        while let index = worker.pointee.roster.clusters.first(from: next) {
            next = index + 1
            let endpoints = worker.pointee.roster.clusters[index].pointee.endpoints
            count += endpoints.statuses.reduce(0) { $0 + $1.live }
        }
        return count
    }

    /// With nothing alive, what earlier plans had is gone.
    private func checkRoster() {
        guard worker.pointee.service == .serving else { return }
        let (listeners, clusters) = (
            worker.pointee.roster.listeners.count, worker.pointee.roster.clusters.count
        )
        let sockets = worker.pointee.roster.sockets.count
        expect(listeners == plan.listeners.count, "\(listeners) listeners are kept")
        expect(clusters == plan.clusters.count, "\(clusters) clusters are kept")
        let addresses = plan.listeners.reduce(0) { $0 + $1.addresses.count }
        expect(sockets == addresses, "\(sockets) sockets are kept for \(addresses) addresses")
    }

    /// The worker has ended: nothing is left, and the counters add up.
    func checkAtEnd() {
        expect(kernel.openDescriptors.isEmpty, "descriptors leak: \(kernel.openDescriptors)")
        // The wait for a wake-up ends with the ring.
        expect(
            kernel.operationsInFlight.allSatisfy { $0.contains("awaitWakeup") },
            "operations leak: \(kernel.operationsInFlight)")
        expect(handle.budget.countInUse == 0, "the budget leaks")
        let accepted = counters[.connectionsAccepted] + counters[.flowsAccepted]
        let ended = TerminationReason.allCases.reduce(0) { $0 + counters[$1] }
        expect(accepted == ended, "\(accepted) accepted, but \(ended) reasons")
        expect(counters[.unexpectedErrors] == 0, "\(counters[.unexpectedErrors]) unexpected errors")
        checkStreams()
        checkHeaders()
        checkDatagrams()
        checkRequests()
    }

    private func checkStreams() {
        for actor in clients + backends {
            problems += actor.violations.map { "\(name(of: actor)): \($0)" }
        }
        let byNumber = Dictionary(
            uniqueKeysWithValues: (clients + backends).map { ($0.number, $0) })
        for actor in clients + backends where actor.end == .clean {
            // A Unix socket has no reset to be told by (`unix(7)`).
            if actor.socket.isUnix { continue }
            guard let peer = actor.peerNumber.flatMap({ byNumber[$0] }) else { continue }
            expectNoReset(of: peer, before: actor)
            // A stream that was cut short must not look complete.
            let isWhole = actor.bytesReceived == peer.bytesSent
            expect(
                isWhole || !peer.script.isCooperative,
                "\(name(of: actor)) saw a clean end after \(actor.bytesReceived) bytes; "
                    + "\(name(of: peer)) sent \(peer.bytesSent) of \(peer.script.bytesToSend)")
        }
    }

    /// A reset must not look like an end, unless a time-out had ended the connection before it.
    private func expectNoReset(of peer: StreamActor, before actor: StreamActor) {
        guard peer.didReset, counters[.idleTimedOut] + counters[.inspectionTimedOut] == 0 else {
            return
        }
        if peer.socket.isUnix { return }
        problems.append("\(name(of: actor)) saw a clean end, but \(name(of: peer)) reset")
    }

    /// Whether the backends were told by a PROXY header where their clients come from.
    private func checkHeaders() {
        for backend in backends {
            guard let header = backend.header,
                let client = clients.first(where: { $0.number == backend.peerNumber })
            else { continue }
            var source = client.socket.localAddress
            if !client.script.preamble.isEmpty, client.script.isPreambleGood {
                source = client.script.preambleSource
            }
            let isTold: Bool
            switch (header.source, source) {
            case (.ip(let address, let port), .ip(let wanted, let wantedPort)):
                isTold = address == wanted && port == wantedPort
            // A Unix client has no address that version 1 could name.
            case (_, nil): isTold = true
            // A client that has reset meanwhile has no address any more (`getpeername(2)`).
            case (.unspecified, _):
                isTold = client.socket.isDisturbed || !client.script.isCooperative
            default: isTold = false
            }
            expect(isTold, "\(name(of: backend)) was told \(header.source), not \(source as Any)")
        }
    }

    /// Of a run in which nobody misbehaved and nothing was injected that costs a connection.
    func expectCompletion() {
        for actor in clients {
            let text = name(of: actor)
            expect(
                actor.end == .clean, "\(text) ended with \(actor.end.map { "\($0)" } ?? "nothing")")
            guard let peer = backends.first(where: { $0.number == actor.peerNumber }) else {
                problems.append("\(text) never heard from a backend")
                continue
            }
            expect(peer.peerNumber == actor.number, "\(text) and its backend disagree")
            expect(actor.bytesReceived == peer.script.bytesToSend, "\(text) lacks bytes")
            expect(peer.bytesReceived == actor.script.bytesToSend, "\(name(of: peer)) lacks bytes")
            expect(peer.end == .clean, "\(name(of: peer)) did not end clean")
        }
    }

    private func checkRequests() {
        problems += requesters.flatMap(\.violations) + answerers.flatMap(\.violations)
        problems += frameRequesters.flatMap(\.violations) + frameAnswerers.flatMap(\.violations)
        var seen = Set<UInt64>()
        let numbers = answerers.flatMap(\.seen) + frameAnswerers.flatMap(\.seen)
        let repeated = numbers.count { !seen.insert($0).inserted }
        // A copy is the same request once more.
        let hasCopies = plan.clusters.count > 1
        expect(
            hasCopies || repeated <= counters[.requestsRepeated],
            "\(repeated) requests came twice, \(counters[.requestsRepeated]) were sent twice")
    }

    /// Of a run in which nobody misbehaved.
    func expectEveryAnswer() {
        for (place, actor) in requesters.enumerated() {
            expect(
                actor.isWhole,
                "requester \(place) (\(actor.script.ending)) of \(actor.script.requests.count) got "
                    + "\(actor.outcomes), ended \(actor.stream.end.map { "\($0)" } ?? "by itself")")
        }
        for (place, actor) in frameRequesters.enumerated() {
            expect(
                actor.isWhole,
                "requester \(place) by HTTP/2 of \(actor.script.requests.count) got "
                    + "\(actor.outcomes), lost \(actor.lost)")
        }
    }

    private func checkDatagrams() {
        problems += datagramClients.flatMap(\.violations) + datagramEchoes.flatMap(\.violations)
    }

    func expectEveryDatagram() {
        for client in datagramClients {
            expect(
                client.answered == client.sent,
                "UDP client \(client.number) sent \(client.sent), got \(client.answered)")
        }
    }

    private func name(of actor: StreamActor) -> String {
        let side = clients.contains { $0 === actor } ? "client" : "backend"
        return "\(side) \(actor.number) (\(actor.script.ending))"
    }

    /// What to print when something is wrong: enough to run it again.
    var report: String {
        problems.prefix(12).joined(separator: "\n")
            + "\nseed \(seed); again: APUS_SEED=\(seed) swift test --filter SimulationTests"
            + "\nfaults \(kernel.faults)"
    }
}
