import Glibc
import Primitives
import Testing
import Traffic

/// The real binary, running with a configuration of the test's.
final class ApusProcess: Sendable {
    let child: ChildProcess
    private let folder: TemporaryFolder

    /// `APUS_BINARY`, or the debug build.
    static let binary = getenv("APUS_BINARY").map { String(cString: $0) } ?? ".build/debug/apus"

    /// Starts and waits for every listener.
    ///
    /// - Parameter launcher: a program and arguments that end by running what follows them.
    convenience init(
        _ forwarding: Forwarding, arguments: [String] = [], launcher: [String] = []
    ) throws {
        let folder = TemporaryFolder()
        let file = folder.file("apus.yaml", forwarding.yaml)
        try self.init(
            folder: folder, launcher: launcher,
            arguments: ["--config", file, "--workers", "1"] + arguments)
        try child.awaitLine(containing: "ready")
    }

    convenience init(_ listeners: Forwarding.Listener..., arguments: [String] = []) throws {
        var forwarding = Forwarding()
        forwarding.listeners = listeners
        try self.init(forwarding, arguments: arguments)
    }

    /// Starts with a file or folder of the test's, and waits for every listener.
    convenience init(configuration path: String, arguments: [String] = []) throws {
        try self.init(
            folder: TemporaryFolder(), launcher: [],
            arguments: ["--config", path, "--workers", "1"] + arguments)
        try child.awaitLine(containing: "ready")
    }

    /// Nobody may look inside unless the test says where: other processes run at the same time.
    private init(folder: TemporaryFolder, launcher: [String], arguments: [String]) throws {
        self.folder = folder
        child = try ChildProcess(
            launcher + [Self.binary, "run", "--stats-file", "\(folder.path)/stats.json"]
                + (arguments.contains("--admin") ? [] : ["--admin", "off"]) + arguments)
    }

    /// Ends by SIGTERM and tells with which exit code.
    @discardableResult
    func stop() throws -> Int32 {
        child.signal(SIGTERM)
        return try child.wait()
    }

    /// Ends by SIGTERM; nothing may be left of any connection, and nothing may have gone wrong.
    func stopClean(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let code = try stop()
        #expect(code == 0, "\(child.log)", sourceLocation: sourceLocation)
        for name in ["connectionsLive", "flowsLive", "pipesInUse", "unexpectedErrors"] {
            #expect(try statistic(name) == 0, "\(name)", sourceLocation: sourceLocation)
        }
    }

    /// A counter of the process, after its end.
    func statistic(_ name: String) throws -> Int {
        let text = TemporaryFolder.text(of: "\(folder.path)/stats.json") ?? ""
        let key = "\"\(name)\""
        guard
            let line = text.split(whereSeparator: { ",{}\n".contains($0) })
                .first(where: { $0.contains(key) }),
            let value = Int(line.split(separator: ":").last?.filter(\.isNumber) ?? "")
        else { throw ChildProcess.Failure(description: "no statistic \(name) in: \(text)") }
        return value
    }

    /// Runs `apus` to its end, which is a failure to start.
    static func failingToStart(_ arguments: [String]) throws -> (exitCode: Int32, log: String) {
        let child = try ChildProcess([binary] + arguments)
        let code = try child.wait()
        try child.awaitEnd()
        return (code, child.log)
    }
}

/// Waits for a state that nothing announces, such as what proc(5) shows.
func eventually(_ isSo: () throws -> Bool) rethrows -> Bool {
    let stepMicroseconds: UInt32 = 5_000
    for _ in 0..<6_000 {
        if try isSo() { return true }
        usleep(stepMicroseconds)
    }
    return try isSo()
}
