import Engine
import Kernel
import Primitives
import Routing
import SimulatedKernel

/// Draws a simulation of requests from a seed: clients, endpoints, faults.
enum RequestWorkload {
    static let listener = SocketAddress.ip(.loopbackIPv4, port: 80)

    static func draw(seed: UInt64, destructive: Bool) throws -> Simulation {
        var random = SeededRandom(seed: seed &* 2 &+ (destructive ? 1 : 0))
        let faults = FaultProfile.swarm(from: &random, destructive: destructive)
        let simulation = try Simulation(
            seed: seed, faults: faults,
            settings: WorkerSettings(
                connectionsMax: destructive ? [6, 64].randomElement(using: &random)! : 256,
                buffersMax: [destructive ? 24 : 512, 2_048].randomElement(using: &random)!))
        simulation.kernel.socketCapacities =
            [[4_096], [16_384, 65_536, 212_992], [65_536, 1_048_576]].randomElement(using: &random)!
        let endpoints = (0..<Int.random(in: 1...3, using: &random)).map {
            SocketAddress.ip(.loopbackIPv4, port: UInt16(9_000 + $0))
        }
        let isSecure = Int.random(in: 0..<4, using: &random) == 0
        var cluster = Simulation.cluster(
            endpoints, tls: isSecure ? ServerCertificate.trusting : nil)
        cluster.connectionIdleTimeout = 20_000
        if destructive { limit(&cluster, &random) }
        balance(&cluster, &random)
        let answersFrames = Int.random(in: 0..<3, using: &random) == 0
        if answersFrames { cluster.framing = .http2 }
        var settings = HTTPListenerPlan()
        settings.idleTimeout = 30_000
        settings.streamIdleTimeout = 40_000
        var timeouts = HTTPTimeouts()
        if destructive, Bool.random(using: &random) { timeouts.request = 5_000 }
        if destructive, Bool.random(using: &random) { timeouts.backendRequest = 3_000 }
        let speaksTLS = Int.random(in: 0..<4, using: &random) == 0
        let client = speaksTLS ? try ServerCertificate.makeClient() : nil
        simulation.addRequestListener(
            on: listener, to: cluster, timeouts: timeouts,
            retry: destructive ? retry(&random) : nil, settings: settings,
            mirrors: mirrors(in: simulation, &random, misbehaves: destructive),
            ends: speaksTLS ? try ServerCertificate.makeServer() : nil)
        let server = isSecure ? try ServerCertificate.makeServer() : nil
        var backends = SeededRandom(seed: random.next())
        for endpoint in endpoints {
            let service =
                answersFrames
                ? simulation.answerFrames(at: endpoint, ends: server) {
                    frameManners(&backends, misbehave: destructive)
                }
                : simulation.answer(at: endpoint, ends: server) {
                    manners(&backends, misbehave: destructive)
                }
            if destructive, Int.random(in: 0..<5, using: &random) == 0 {
                service.manner = Bool.random(using: &random) ? .refusing : .silent
            }
        }
        let spread: UInt64 = [0, 20_000_000, 1_000_000_000].randomElement(using: &random)!
        for place in 0..<Int.random(in: 1...8, using: &random) {
            let delay = UInt64.random(in: 0...spread, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 {
                simulation.requestFrames(
                    from: Simulation.client(place), to: listener, after: delay, over: client,
                    frameScript(place, &random, misbehaves: destructive))
            } else {
                simulation.request(
                    from: Simulation.client(place), to: listener, after: delay, over: client,
                    script(
                        place, &random, misbehaves: destructive, canUpgrade: !answersFrames))
            }
        }
        if destructive { endEarly(simulation, within: spread, &random) }
        return simulation
    }

    /// Endpoints that get copies of the requests, in some runs.
    private static func mirrors(
        in simulation: Simulation, _ random: inout SeededRandom, misbehaves: Bool
    ) -> ClusterPlan? {
        guard Int.random(in: 0..<3, using: &random) == 0 else { return nil }
        let address = SocketAddress.ip(.loopbackIPv4, port: 9_900)
        var cluster = Simulation.cluster([address])
        cluster.connectionIdleTimeout = 20_000
        var draws = SeededRandom(seed: random.next())
        if Bool.random(using: &random) {
            cluster.framing = .http2
            simulation.answerFrames(at: address) {
                frameManners(&draws, misbehave: misbehaves)
            }
        } else {
            simulation.answer(at: address) { manners(&draws, misbehave: misbehaves) }
        }
        return cluster
    }

    private static func balance(_ cluster: inout ClusterPlan, _ random: inout SeededRandom) {
        cluster.loadBalancer.tableSize = 101
        cluster.loadBalancer.kind =
            [
                .roundRobin, .consistentHash(.cookie(name: "where", ttlSeconds: 60)),
                .consistentHash(.headers(["host"])),
            ].randomElement(using: &random)!
    }

    /// What the cluster may have at a time, where it is not to have all.
    private static func limit(_ cluster: inout ClusterPlan, _ random: inout SeededRandom) {
        guard Int.random(in: 0..<3, using: &random) == 0 else { return }
        cluster.circuitBreaker.connectionsMax = [nil, 2].randomElement(using: &random)!
        cluster.circuitBreaker.requestsMax = [nil, 3].randomElement(using: &random)!
        cluster.circuitBreaker.retriesMax = [nil, 0, 1].randomElement(using: &random)!
        cluster.circuitBreaker.retryBudget =
            [nil, .init(numerator: 20, countMin: 1)].randomElement(using: &random)!
        cluster.sourceLimit.connectionsMax = [nil, 2].randomElement(using: &random)!
        cluster.sourceLimit.connectionsPerSecond = [nil, 3].randomElement(using: &random)!
    }

    private static func retry(_ random: inout SeededRandom) -> RetryPlan? {
        guard Bool.random(using: &random) else { return nil }
        var plan = RetryPlan()
        plan.attemptsMax = UInt32.random(in: 0...3, using: &random)
        plan.triggers = [["5xx"], ["reset", "connect-failure"], []].randomElement(using: &random)!
        plan.attemptTimeout = [nil, 2_000].randomElement(using: &random)!
        return plan
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

    private static func manners(
        _ random: inout SeededRandom, misbehave: Bool
    ) -> AnswerActor.Manners {
        var manners = AnswerActor.Manners()
        manners.stream = .draw(&random)
        manners.closes = [0, 0, 200].randomElement(using: &random)!
        manners.interim = [0, 200].randomElement(using: &random)!
        manners.delayMax = [0, 100_000, 20_000_000].randomElement(using: &random)!
        guard misbehave else { return manners }
        let rates = [
            \AnswerActor.Manners.closesIdle, \.fails, \.answersEarly, \.resets, \.truncates,
            \.garbles,
            \.stalls,
        ]
        for rate in rates { manners[keyPath: rate] = [0, 0, 100].randomElement(using: &random)! }
        return manners
    }

    private static func frameManners(
        _ random: inout SeededRandom, misbehave: Bool
    ) -> FrameAnswerActor.Manners {
        var manners = FrameAnswerActor.Manners()
        manners.stream = .draw(&random)
        manners.plan = http2(&random)
        manners.interim = [0, 200].randomElement(using: &random)!
        manners.delayMax = [0, 100_000, 20_000_000].randomElement(using: &random)!
        guard misbehave else { return manners }
        let rates = [
            \FrameAnswerActor.Manners.answersEarly, \.fails, \.goesAway, \.resetsStream,
            \.refusesStream,
            \.resets,
            \.garbles, \.stalls,
        ]
        for rate in rates { manners[keyPath: rate] = [0, 0, 100].randomElement(using: &random)! }
        return manners
    }

    private static func http2(_ random: inout SeededRandom) -> HTTP2Plan {
        var plan = HTTP2Plan()
        plan.streamsMax = [1, 3, 100].randomElement(using: &random)!
        plan.streamWindowBytes = [1_000, 65_535, 1 << 20].randomElement(using: &random)!
        return plan
    }

    private static func frameScript(
        _ place: Int, _ random: inout SeededRandom, misbehaves: Bool
    ) -> FrameRequestActor.Script {
        let requests = (0..<Int.random(in: 1...20, using: &random)).map {
            var request = RequestScript.draw(
                &random, number: UInt64(place * 1_000 + $0 + 1), isHTTP10: false)
            request.expectsContinue = false
            return request
        }
        var script = FrameRequestActor.Script(requests: requests)
        script.manner = .draw(&random)
        script.plan = http2(&random)
        script.depth = [1, 3, 20].randomElement(using: &random)!
        script.ending = [.closes, .lingers].randomElement(using: &random)!
        guard misbehaves, Int.random(in: 0..<3, using: &random) == 0 else { return script }
        script.cancels = [0, 100].randomElement(using: &random)!
        let after = Int.random(in: 0..<100_000, using: &random)
        script.ending =
            [.closes, .resets(after: after), .leaves(after: after), .stalls(after: after)]
            .randomElement(using: &random)!
        return script
    }

    private static func script(
        _ place: Int, _ random: inout SeededRandom, misbehaves: Bool, canUpgrade: Bool
    ) -> RequestActor.Script {
        let isHTTP10 = Int.random(in: 0..<6, using: &random) == 0
        let count = isHTTP10 ? 1 : Int.random(in: 1...12, using: &random)
        var requests = (0..<count).map {
            RequestScript.draw(
                &random, number: UInt64(place * 1_000 + $0 + 1), isHTTP10: isHTTP10)
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where !isHTTP10 && canUpgrade:
            requests[count - 1] = RequestScript(number: requests[count - 1].number)
            requests[count - 1].isUpgrade = true
            requests[count - 1].answerBytes = Int.random(in: 1...100_000, using: &random)
        case 1 where !requests[count - 1].isHead && canUpgrade:
            requests[count - 1].answerFraming = .untilClose
        case 2 where !isHTTP10: requests[count - 1].closes = true
        default: break
        }
        var script = RequestActor.Script(requests: requests)
        script.manner = .draw(&random)
        script.depth = [1, 1, 3, 12].randomElement(using: &random)!
        if requests[count - 1].isUpgrade { script.depth = 1 }
        script.thinksMax = [0, 0, 3_000_000].randomElement(using: &random)!
        script.ending = [.closes, .closes, .halfCloses, .lingers].randomElement(using: &random)!
        guard misbehaves, Int.random(in: 0..<3, using: &random) == 0 else { return script }
        let after = Int.random(in: 0..<100_000, using: &random)
        script.ending =
            [.resets(after: after), .leaves(after: after), .stalls(after: after), .garbles]
            .randomElement(using: &random)!
        // In a tunnel that would be bytes like others.
        if script.ending == .garbles { script.requests[count - 1].isUpgrade = false }
        return script
    }
}
