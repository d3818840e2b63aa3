import CLinux
import Kernel
import Marks

/// Load generator and backend for `tools/bench`; see `Benchmarks/README.md`.
@main
enum Main {
    private static let usage = """
        usage: apus-bench backend [--echo PORT] [--sink PORT] [--source PORT] [--reply PORT]
                                  [--tally PORT] [--datagrams PORT]
               apus-bench load MODE --port PORT [--connections N] [--count N] [--seconds N]
                               [--bytes N] [--rate N] [--burst N] [--gso 1] [--stepped 1]
                 MODE: roundtrips bulk-up bulk-down churn idle datagrams flood
                       tls-full tls-resumed tls-up tls-down tls-idle
               apus-bench floor full|resumed|up|down --identity PEM [--tickets N] [--count N]
                                                     [--bytes N]
               apus-bench picks
               apus-bench pingpong
        """

    static func main() {
        raiseDescriptorLimit()
        let words = CommandLine.arguments
        switch words.dropFirst().first {
        case "backend": backend(words.dropFirst(2))
        case "load" where words.count > 2: load(words[2], words.dropFirst(3))
        case "floor" where words.count > 2: floor(words[2], words.dropFirst(3))
        case "picks": Picks.run()
        case "pingpong": print(PingPong.nanoseconds(between: 0, and: 1))
        default: fail(usage)
        }
    }

    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func backend(_ words: ArraySlice<String>) {
        let services: [(name: String, service: Backend.Service)] = [
            ("echo", .echo), ("sink", .sink), ("source", .source), ("reply", .reply),
            ("tally", .tally),
        ]
        let arguments = Arguments(
            words, known: Set(services.map(\.name) + ["datagrams"]))
        apus_mark_own()
        var backend = Backend()
        for entry in services {
            guard let port = arguments.port(entry.name) else { continue }
            backend.listen(on: port, for: entry.service)
        }
        if let port = arguments.port("datagrams") { backend.echoDatagrams(on: port) }
        Steps(isStepped: false).announce("ready")
        backend.run()
    }

    private static func load(_ mode: String, _ words: ArraySlice<String>) {
        let arguments = Arguments(
            words,
            known: [
                "port", "connections", "count", "seconds", "bytes", "rate", "burst", "gso",
                "stepped",
            ])
        guard let port = arguments.port("port") else { fail("--port is missing") }
        apus_mark_own()
        defer { apus_mark_retire() }
        let steps = Steps(isStepped: arguments.number("stepped", default: 0) != 0)
        switch mode {
        case "roundtrips", "idle": roundTrips(port, arguments, steps, isIdle: mode == "idle")
        case "bulk-up": bulk(port, arguments, steps, .up)
        case "bulk-down": bulk(port, arguments, steps, .down)
        case "churn": churn(port, arguments, steps)
        case "datagrams", "flood": datagrams(port, arguments, steps, isFlood: mode == "flood")
        case "tls-full": handshakes(port, arguments, steps, resumes: false)
        case "tls-resumed": handshakes(port, arguments, steps, resumes: true)
        case "tls-up": secureBulk(port, arguments, steps, .up)
        case "tls-down": secureBulk(port, arguments, steps, .down)
        case "tls-idle": secureIdle(port, arguments, steps)
        default: fail("no such load: \(mode)\n\(usage)")
        }
    }

    private static func roundTrips(
        _ port: UInt16, _ arguments: Arguments, _ steps: Steps, isIdle: Bool
    ) {
        var load = RoundTrips(
            port: port, connections: arguments.number("connections", default: 1),
            requestBytes: arguments.number("bytes", default: 64),
            requestsMax: arguments.number("count", default: countDefault))
        load.warmUp()
        steps.announce("ready")
        guard !isIdle else { return }
        let seconds = arguments.number("seconds", default: secondsDefault)
        let rate = arguments.number("rate", default: 0)
        apus_mark_begin()
        let result =
            rate > 0
            ? load.runOpen(seconds: seconds, rate: rate) : load.runClosed(seconds: seconds)
        apus_mark_end()
        steps.announce(result)
    }

    private static func bulk(
        _ port: UInt16, _ arguments: Arguments, _ steps: Steps, _ course: Bulk.Course
    ) {
        var load = Bulk(
            port: port, connections: arguments.number("connections", default: 1), course: course,
            bytes: arguments.number("bytes", default: 1_000_000_000))
        steps.announce("ready")
        apus_mark_begin()
        let result = load.run(seconds: arguments.number("seconds", default: secondsDefault))
        apus_mark_end()
        steps.announce(result)
    }

    private static func churn(_ port: UInt16, _ arguments: Arguments, _ steps: Steps) {
        let connections = arguments.number("connections", default: 1)
        var load = Churn(port: port, connections: connections)
        _ = load.run(seconds: secondsDefault, connectionsTotal: connections * 2)
        steps.announce("ready")
        apus_mark_begin()
        let result = load.run(
            seconds: arguments.number("seconds", default: secondsDefault),
            connectionsTotal: arguments.number("count", default: countDefault))
        apus_mark_end()
        steps.announce(result)
    }

    private static func datagrams(
        _ port: UInt16, _ arguments: Arguments, _ steps: Steps, isFlood: Bool
    ) {
        var load = Datagrams(
            port: port, flows: arguments.number("connections", default: 1),
            datagramBytes: arguments.number("bytes", default: 64),
            burst: arguments.number("burst", default: 1),
            usesSegmentation: arguments.number("gso", default: 0) != 0,
            datagramsMax: arguments.number("count", default: countDefault))
        load.warmUp()
        steps.announce("ready")
        let seconds = arguments.number("seconds", default: secondsDefault)
        apus_mark_begin()
        let result =
            isFlood
            ? load.runFlood(seconds: seconds, rate: arguments.number("rate", default: 1000))
            : load.run(seconds: seconds)
        apus_mark_end()
        steps.announce(result)
    }

    static let secondsDefault = 10
    static let countDefault = Int(Int32.max)
}
