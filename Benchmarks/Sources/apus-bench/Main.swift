import CLinux
import Kernel

/// Load generator and backend for `tools/bench`; see `Benchmarks/README.md`.
@main
enum Main {
    private static let usage = """
        usage: apus-bench backend [--echo PORT] [--sink PORT] [--source PORT] [--reply PORT]
                                  [--datagrams PORT]
               apus-bench load MODE --port PORT [--connections N] [--count N] [--seconds N]
                               [--bytes N] [--rate N] [--burst N] [--gso 1] [--stepped 1]
                 MODE: roundtrips bulk-up bulk-down churn idle datagrams flood
               apus-bench pingpong
        """

    static func main() {
        raiseDescriptorLimit()
        let words = CommandLine.arguments
        switch words.dropFirst().first {
        case "backend": backend(words.dropFirst(2))
        case "load" where words.count > 2: load(words[2], words.dropFirst(3))
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
        ]
        let arguments = Arguments(
            words, known: Set(services.map(\.name) + ["datagrams"]))
        var backend = Backend()
        for entry in services {
            if let port = arguments.port(entry.name) { backend.listen(on: port, for: entry.service) }
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
        let steps = Steps(isStepped: arguments.number("stepped", default: 0) != 0)
        let connections = max(1, arguments.number("connections", default: 1))
        let count = arguments.number("count", default: Int(Int32.max))
        let seconds = arguments.number("seconds", default: 10)
        let bytes = arguments.number("bytes", default: 64)
        let rate = arguments.number("rate", default: 0)
        switch mode {
        case "roundtrips", "idle":
            var load = RoundTrips(
                port: port, connections: connections, requestBytes: bytes, requestsMax: count)
            load.warmUp()
            steps.announce("ready")
            guard mode == "roundtrips" else { return }
            steps.announce(
                rate > 0
                    ? load.runOpen(seconds: seconds, rate: rate) : load.runClosed(seconds: seconds))
        case "bulk-up", "bulk-down":
            var load = Bulk(
                port: port, connections: connections, course: mode == "bulk-up" ? .up : .down,
                bytes: bytes)
            steps.announce("ready")
            steps.announce(load.run(seconds: seconds))
        case "churn":
            var load = Churn(port: port, connections: connections)
            _ = load.run(seconds: seconds, connectionsTotal: connections * 2)
            steps.announce("ready")
            steps.announce(load.run(seconds: seconds, connectionsTotal: count))
        case "datagrams", "flood":
            var load = Datagrams(
                port: port, flows: connections, datagramBytes: bytes,
                burst: max(1, arguments.number("burst", default: 1)),
                usesSegmentation: arguments.number("gso", default: 0) != 0, datagramsMax: count)
            load.warmUp()
            steps.announce("ready")
            steps.announce(
                mode == "flood"
                    ? load.runFlood(seconds: seconds, rate: max(1, rate))
                    : load.run(seconds: seconds))
        default:
            fail("no such load: \(mode)\n\(usage)")
        }
    }
}
