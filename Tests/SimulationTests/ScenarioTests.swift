import CLinux
import Kernel
import Primitives
import Routing
import SimulatedKernel
import Testing

@testable import Engine

/// What can go wrong around a worker, one thing at a time.
@Suite struct ScenarioTests {
    private static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)
    private static let first = SocketAddress.ip(.loopbackIPv4, port: 9_001)
    private static let second = SocketAddress.ip(.loopbackIPv4, port: 9_002)

    /// A worker with one TCP listener; its backends answer by `backend`.
    private func make(
        _ faults: FaultProfile = .none,
        settings: WorkerSettings = WorkerSettings(connectionsMax: 64),
        features: KernelFeatures = .all, tcp: TCPListenerPlan = TCPListenerPlan(),
        endpoints: [SocketAddress] = [first], connectTimeoutMilliseconds: UInt32 = 10_000,
        backend: StreamScript = StreamScript(bytesToSend: 1_000)
    ) throws -> Simulation {
        let simulation = try Simulation(
            seed: 7, faults: faults, settings: settings, features: features)
        simulation.addListener(
            on: Self.listener, .tcp(tcp),
            to: [
                Simulation.cluster(
                    endpoints, connectTimeoutMilliseconds: connectTimeoutMilliseconds)
            ])
        for endpoint in endpoints { simulation.serve(at: endpoint) { backend } }
        simulation.start()
        return simulation
    }

    private func connect(
        _ simulation: Simulation, count: Int, _ script: StreamScript, spacing: UInt64 = 0
    ) {
        for place in 0..<count {
            simulation.connect(
                from: Simulation.client(place), to: Self.listener, after: UInt64(place) * spacing,
                script)
        }
    }

    private func finish(_ simulation: Simulation, isComplete: Bool = true) {
        simulation.finish()
        if simulation.problems.isEmpty, isComplete { simulation.expectCompletion() }
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
    }

    // MARK: - The kernel runs out

    @Test("a worker out of descriptors leaves clients in the queue and takes them later")
    func descriptorsRunOut() throws {
        let simulation = try make()
        // The listener, and room for two connections with two sockets each.
        simulation.kernel.descriptorsMax = 5
        var script = StreamScript(bytesToSend: 20_000)
        script.restRate = 300
        simulation.kernel.faults.latencyNanosecondsMax = 50_000
        connect(simulation, count: 12, script)
        simulation.finish()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        let counters = simulation.counters
        #expect(counters[.acceptPauses] > 0)
        #expect(counters[.connectionsAccepted] == 12)
        // Whoever was accepted with no descriptor left for an endpoint is refused, with the reason.
        let refused = Int(counters[.outOfDescriptors])
        #expect(simulation.clients.count { $0.end == .clean } == 12 - refused)
        #expect(simulation.clients.count { $0.end == .reset } == refused)
        #expect(refused < 12)
    }

    @Test("directions that find no buffer go on when buffers come back")
    func buffersRunOut() throws {
        var backend = StreamScript(bytesToSend: 300_000)
        backend.writeMax = 65_536
        // Pipes would take the load off the buffers.
        let simulation = try make(
            settings: WorkerSettings(connectionsMax: 64, buffersMax: 24),
            features: KernelFeatures.all.subtracting(.splice), backend: backend)
        simulation.kernel.socketCapacities = [4_096, 262_144]
        var script = StreamScript(bytesToSend: 100_000)
        script.restRate = 200
        connect(simulation, count: 30, script)
        finish(simulation)
        #expect(simulation.counters[.bufferStarvations] > 0)
    }

    @Test("bulk is copied where no pipe is to be had", arguments: [true, false])
    func pipesRefused(entirely: Bool) throws {
        var faults = FaultProfile.none
        if entirely { faults.pipeRefused = FaultProfile.whole }
        if !entirely { faults.pipeShrunk = FaultProfile.whole }
        let simulation = try make(faults, backend: StreamScript(bytesToSend: 2_000_000))
        connect(simulation, count: 3, StreamScript(bytesToSend: 1_000_000))
        finish(simulation)
        if entirely {
            #expect(simulation.counters[.splicedBytes] == 0)
            #expect(simulation.counters[.pipeRefusals] > 0)
        }
    }

    @Test("bulk is spliced")
    func bulkIsSpliced() throws {
        let simulation = try make(backend: StreamScript(bytesToSend: 2_000_000))
        simulation.kernel.socketCapacities = [262_144]
        connect(simulation, count: 1, StreamScript(bytesToSend: 8))
        finish(simulation)
        #expect(simulation.counters[.splicedBytes] > 1_000_000)
    }

    @Test("a pipe with bytes of one connection in it never serves another")
    func pipesAreEmpty() throws {
        // No reader takes anything for a while, so that pipes are full when clients reset.
        let simulation = try make(backend: StreamScript(bytesToSend: 1_500_000))
        simulation.kernel.socketCapacities = [65_536]
        connect(
            simulation, count: 3, StreamScript(bytesToSend: 100, ending: .stalls(after: 70_000)))
        simulation.run(milliseconds: 20)
        #expect(simulation.kernel.pipesCount == 3)
        simulation.clients.forEach { $0.socket.reset() }
        simulation.run { simulation.liveCount == 0 }
        let first = simulation.clients.count
        connect(simulation, count: 3, StreamScript(bytesToSend: 100))
        finish(simulation, isComplete: false)
        #expect(simulation.clients[first...].allSatisfy { $0.end == .clean })
        #expect(simulation.clients[first...].allSatisfy { $0.bytesReceived == 1_500_000 })
    }

    // MARK: - Late completions

    @Test("a slot is used again only when nothing of its last tenant is in the kernel")
    func slotsAreJoined() throws {
        var faults = FaultProfile.none
        faults.cancelTooLate = FaultProfile.whole
        faults.lateCompletion = 700
        let simulation = try make(
            faults, settings: WorkerSettings(connectionsMax: 2),
            backend: StreamScript(bytesToSend: 50_000, ending: .resets(after: 30_000)))
        connect(simulation, count: 40, StreamScript(bytesToSend: 50_000), spacing: 3_000_000)
        finish(simulation, isComplete: false)
        #expect(simulation.counters[.connectionsAccepted] == 40)
        #expect(simulation.counters[.endpointReset] > 10)
        #expect(simulation.counters[.staleCompletions] == 0)
    }

    @Test("the end of a stream that comes with its last bytes is not lost while splicing")
    func endWithLastBytes() throws {
        for size in [200_000, 262_144, 300_001] {
            let simulation = try make(backend: StreamScript(bytesToSend: size))
            simulation.kernel.socketCapacities = [1_048_576]
            connect(simulation, count: 4, StreamScript(bytesToSend: size + 1))
            finish(simulation)
        }
    }

    // MARK: - Ends

    @Test("a half-closed connection goes on the other way", arguments: [true, false])
    func halfClose(clientFirst: Bool) throws {
        var waiting = StreamScript(bytesToSend: 100_000)
        waiting.ending = .answersWhenAsked
        let asking = StreamScript(bytesToSend: 70_000)
        let simulation = try make(backend: clientFirst ? waiting : asking)
        connect(simulation, count: 5, clientFirst ? asking : waiting)
        finish(simulation)
        #expect(simulation.counters[clientFirst ? .clientClosed : .endpointClosed] == 5)
    }

    @Test("a client's reset reaches the backend as a reset")
    func clientResets() throws {
        let simulation = try make(backend: StreamScript(bytesToSend: 100, ending: .lingers))
        connect(
            simulation, count: 3, StreamScript(bytesToSend: 1_000, ending: .resets(after: 1_100)))
        finish(simulation, isComplete: false)
        #expect(simulation.counters[.clientReset] == 3)
        #expect(simulation.backends.map(\.end) == [.reset, .reset, .reset])
    }

    @Test("a backend's reset reaches the client as a reset, after the bytes before it")
    func backendResets() throws {
        let simulation = try make(
            backend: StreamScript(bytesToSend: 100, ending: .resets(after: 1_100)))
        connect(simulation, count: 3, StreamScript(bytesToSend: 1_000, ending: .lingers))
        finish(simulation, isComplete: false)
        #expect(simulation.counters[.endpointReset] == 3)
        #expect(simulation.clients.map(\.end) == [.reset, .reset, .reset])
        #expect(simulation.clients.map(\.bytesReceived) == [100, 100, 100])
    }

    @Test("a connection that is silent both ways ends after its idle time-out")
    func idle() throws {
        let simulation = try make(
            tcp: TCPListenerPlan(idleTimeoutMilliseconds: 5_000),
            backend: StreamScript(bytesToSend: 100, ending: .lingers))
        connect(simulation, count: 2, StreamScript(bytesToSend: 100, ending: .lingers))
        let start = simulation.kernel.clock
        finish(simulation, isComplete: false)
        #expect(simulation.counters[.idleTimedOut] == 2)
        #expect(simulation.kernel.clock - start >= 5_000_000_000)
    }

    @Test("a reader that never reads costs a bounded amount of memory", arguments: [true, false])
    func slowReader(splices: Bool) throws {
        let simulation = try make(
            features: splices ? .all : KernelFeatures.all.subtracting(.splice),
            tcp: TCPListenerPlan(idleTimeoutMilliseconds: 5_000),
            backend: StreamScript(bytesToSend: 20_000_000))
        simulation.kernel.socketCapacities = [65_536]
        connect(simulation, count: 1, StreamScript(bytesToSend: 8, ending: .stalls(after: 0)))
        finish(simulation, isComplete: false)
        #expect(simulation.counters[.idleTimedOut] == 1)
        let sockets = 4 * 65_536
        // The kernel may fill every posted buffer before a cancel takes effect.
        let held = splices ? BufferSize.pipe : 64 * BufferSize.stream
        #expect(simulation.backends[0].bytesSent <= sockets + held + 8 * BufferSize.stream)
        #expect(simulation.backends[0].bytesSent >= sockets)
    }

    @Test("slots, buffers and pipes in use follow the connections of the moment, not of the past")
    func memoryIsConstant() throws {
        let simulation = try make(
            settings: WorkerSettings(connectionsMax: 64), backend: StreamScript(bytesToSend: 90_000)
        )
        simulation.kernel.socketCapacities = [16_384, 262_144]
        for wave in 0..<10 {
            connect(simulation, count: 20, StreamScript(bytesToSend: 60_000))
            simulation.run { simulation.clients.count { $0.isDone } == 20 * (wave + 1) }
            simulation.run { simulation.liveCount == 0 }
            simulation.checkAtRest()
            #expect(simulation.slotsPeak <= 20)
            #expect(simulation.kernel.pipesCount <= 40)
        }
        finish(simulation)
    }

    // MARK: - Endpoints that fail

    @Test("a client does not notice an endpoint that refuses", arguments: [true, false])
    func nextEndpoint(refuses: Bool) throws {
        let simulation = try make(
            endpoints: [Self.first, Self.second], connectTimeoutMilliseconds: 4_000)
        let service = simulation.serve(at: Self.first) { StreamScript(bytesToSend: 8) }
        service.manner = refuses ? .refusing : .silent
        connect(simulation, count: 4, StreamScript(bytesToSend: 5_000))
        finish(simulation)
        #expect(simulation.counters[.dialFailures] >= 2)
        #expect(simulation.clients.allSatisfy { $0.end == .clean })
    }

    @Test("when every endpoint fails, the client is reset within the connect time-out")
    func noEndpointLeft() throws {
        let simulation = try make(
            endpoints: [Self.first, Self.second], connectTimeoutMilliseconds: 3_000)
        simulation.serve(at: Self.first) { StreamScript(bytesToSend: 8) }.manner = .silent
        simulation.serve(at: Self.second) { StreamScript(bytesToSend: 8) }.manner = .silent
        connect(simulation, count: 2, StreamScript(bytesToSend: 5_000))
        let start = simulation.kernel.clock
        finish(simulation, isComplete: false)
        let times = simulation.clients.compactMap(\.doneTime)
        #expect(times.count == 2)
        #expect(times.allSatisfy { (1_000_000_000...3_300_000_000).contains($0 - start) })
        #expect(simulation.counters[.connectTimedOut] == 2)
        #expect(simulation.clients.map(\.end) == [.reset, .reset])
    }

    // MARK: - Limits

    @Test("clients above the total limit are refused, and room is used again")
    func totalLimit() throws {
        let simulation = try make(settings: WorkerSettings(connectionsMax: 3))
        connect(simulation, count: 5, StreamScript(bytesToSend: 100, ending: .lingers))
        simulation.run(milliseconds: 50)
        #expect(simulation.counters[.connectionsLive] == 3)
        #expect(simulation.counters[.totalLimit] >= 1)
        simulation.clients.filter { $0.end == nil }.forEach { $0.socket.reset() }
        simulation.run { simulation.liveCount == 0 }
        let first = simulation.clients.count
        connect(simulation, count: 3, StreamScript(bytesToSend: 5_000, ending: .lingers))
        simulation.run(milliseconds: 500)
        #expect(simulation.counters[.connectionsLive] == 3)
        #expect(simulation.clients[first...].allSatisfy { $0.bytesReceived == 1_000 })
        simulation.clients.forEach { $0.socket.reset() }
        finish(simulation, isComplete: false)
    }

    @Test("clients above a listener's limit are refused")
    func listenerLimit() throws {
        let simulation = try make(
            tcp: TCPListenerPlan(idleTimeoutMilliseconds: 5_000, connectionsMax: 2))
        connect(simulation, count: 5, StreamScript(bytesToSend: 100, ending: .lingers))
        finish(simulation, isComplete: false)
        #expect(simulation.counters[.listenerLimit] == 3)
        #expect(simulation.counters[.idleTimedOut] == 2)
    }

    // MARK: - Drain

    @Test("a drain serves who waits in the accept queue, lets connections end, refuses newcomers")
    func drain() throws {
        let simulation = try make(backend: StreamScript(bytesToSend: 400_000))
        var script = StreamScript(bytesToSend: 200_000)
        script.restRate = 200
        connect(simulation, count: 6, script)
        simulation.run { simulation.counters[.connectionsAccepted] >= 2 }
        // These reach the queue in the moment in which the drain begins.
        for place in 6..<9 {
            simulation.connect(from: Simulation.client(place), to: Self.listener, script)
        }
        while simulation.clients.count < 9
            || !simulation.clients.allSatisfy({ $0.socket.isConnected })
        {
            simulation.kernel.step()
        }
        simulation.post(.drain(deadline: simulation.kernel.clock + 60_000_000_000))
        simulation.run {
            simulation.kernel.openDescriptors.allSatisfy { !$0.name.contains("listener") }
        }
        simulation.connect(from: Simulation.client(9), to: Self.listener, script)
        simulation.run { !simulation.isRunning }
        while simulation.kernel.step() {}
        simulation.checkAtEnd()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.counters[.connectionsAccepted] == 9)
        #expect(simulation.clients.prefix(9).allSatisfy { $0.end == .clean })
        #expect(simulation.clients.prefix(9).allSatisfy { $0.bytesReceived == 400_000 })
        #expect(simulation.clients[9].end == .refused)
        #expect(simulation.outcome == .drained)
    }

    @Test("a drain resets what still lives at its deadline, and says so")
    func drainDeadline() throws {
        let simulation = try make(backend: StreamScript(bytesToSend: 100, ending: .lingers))
        connect(simulation, count: 4, StreamScript(bytesToSend: 100, ending: .lingers))
        simulation.run(milliseconds: 20)
        let deadline = simulation.kernel.clock + 2_000_000_000
        simulation.post(.drain(deadline: deadline))
        simulation.run { !simulation.isRunning }
        while simulation.kernel.step() {}
        simulation.checkAtEnd()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.kernel.clock >= deadline)
        #expect(simulation.counters[.drainTimedOut] == 4)
        #expect(simulation.outcome == .cutOff)
        #expect(simulation.clients.allSatisfy { $0.end == .reset })
        #expect(simulation.backends.allSatisfy { $0.end == .reset })
    }

    @Test("a stop ends everything at once")
    func stop() throws {
        var faults = FaultProfile.none
        faults.cancelTooLate = 500
        faults.lateCompletion = 500
        let simulation = try make(faults, backend: StreamScript(bytesToSend: 2_000_000))
        connect(simulation, count: 8, StreamScript(bytesToSend: 2_000_000), spacing: 200_000)
        simulation.run { simulation.counters[.splicedBytes] > 0 }
        simulation.post(.stop)
        simulation.run { !simulation.isRunning }
        while simulation.kernel.step() {}
        simulation.checkAtEnd()
        #expect(simulation.problems.isEmpty, "\(simulation.report)")
        #expect(simulation.outcome == .cutOff)
    }
}
