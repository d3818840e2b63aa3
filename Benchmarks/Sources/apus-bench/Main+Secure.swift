import Marks

/// The loads over TLS, and what TLS costs alone.
extension Main {
    static func handshakes(
        _ port: UInt16, _ arguments: Arguments, _ steps: Steps, resumes: Bool
    ) {
        let connections = arguments.number("connections", default: 1)
        var load = Handshakes(port: port, connections: connections, resumes: resumes)
        _ = load.run(seconds: secondsDefault, connectionsTotal: connections * 2)
        steps.announce("ready")
        apus_mark_begin()
        let result = load.run(
            seconds: arguments.number("seconds", default: secondsDefault),
            connectionsTotal: arguments.number("count", default: countDefault))
        apus_mark_end()
        steps.announce(result)
    }

    static func secureBulk(
        _ port: UInt16, _ arguments: Arguments, _ steps: Steps, _ course: Bulk.Course
    ) {
        var load = SecureBulk(
            port: port, connections: arguments.number("connections", default: 1), course: course,
            bytes: arguments.number("bytes", default: 1_000_000_000))
        steps.announce("ready")
        apus_mark_begin()
        let result = load.run(seconds: arguments.number("seconds", default: secondsDefault))
        apus_mark_end()
        steps.announce(result)
    }

    static func secureIdle(_ port: UInt16, _ arguments: Arguments, _ steps: Steps) {
        let load = SecureIdle(
            port: port, connections: arguments.number("connections", default: 1))
        steps.announce("ready")
        // The connections stand until here.
        _ = consume load
    }

    static func floor(_ name: String, _ words: ArraySlice<String>) {
        let arguments = Arguments(words, known: ["identity", "tickets", "count", "bytes"])
        guard let work = Floor.Work(rawValue: name) else { fail("no such work: \(name)") }
        let floor = Floor(
            identity: arguments.text("identity", default: "identity.pem"),
            tickets: arguments.number("tickets", default: 1))
        let result = floor.run(
            work, connections: arguments.number("count", default: 1_000),
            bytes: arguments.number("bytes", default: 1_000_000_000))
        Steps(isStepped: false).announce(result)
    }
}
