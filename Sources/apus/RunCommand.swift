import Admin
import ArgumentParser
import Control
import GatewayAPI
import Kernel
import Logging

/// `apus run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Forward until told to stop.",
        discussion: """
            Without --config it forwards to demo backends of its own on loopback. SIGTERM or \
            Ctrl-C drains; Ctrl-C again ends at once. Exit codes: 0 every connection ran to its \
            end, 1 the start or the configuration failed, 2 wrong command line, 3 the drain \
            time-out cut connections off, 130 interrupted twice.

            A change of the configuration's files, or SIGHUP, reloads them: connections stay, \
            listeners that stay keep their sockets, and one that goes is drained. Files with \
            errors change nothing; the log says what is wrong with them.
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A YAML or JSON file, or a directory of them; may be given several times.",
            valueName: "path"))
    var config: [String] = []

    @Flag(
        name: .customLong("no-watch"),
        help: "Do not reload when the configuration's files change, only at SIGHUP.")
    var ignoresChanges = false

    @Option(
        name: .long,
        help: "Worker threads (default: the ApusConfig's, else one for each allowed processor).")
    var workers: Int?

    @Option(
        name: .long,
        help: """
            Connections and UDP flows at a time (default: the ApusConfig's, else what the \
            descriptors allow).
            """)
    var connectionsMax: Int?

    @Option(
        name: .long,
        help: """
            The zone that this host is in, as endpoints name theirs (default: the ApusConfig's); \
            for zoneAware load balancing.
            """)
    var zone: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            How long SIGTERM lets connections run on (default: the ApusConfig's, else \
            \(Int(RunSettings.drainTimeoutSecondsDefault))).
            """, valueName: "seconds"))
    var drainTimeout: Double?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A kernel feature not to use, for tests: \(KernelFeatures.all).",
            valueName: "feature"))
    var without: [String] = []

    @Option(
        name: .long,
        help: """
            One of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")) (default: the \
            ApusConfig's, else info).
            """)
    var logLevel: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            Where to answer who looks inside: \(AdminAddress.forms) (default: the ApusConfig's, \
            else \(AdminAddress.standard)).
            """, valueName: "place"))
    var admin: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Write the counters there at exit, as JSON.", valueName: "path"))
    var statsFile: String?

    /// A day; more is no drain.
    private static let drainTimeoutSecondsMax = 86_400.0

    func settings() throws -> RunSettings {
        var settings = RunSettings()
        settings.configurationPaths = config
        settings.watchesConfiguration = !ignoresChanges
        if let workers, !(1...RunSettings.workersMax).contains(workers) {
            throw ValidationError("--workers must be 1 to \(RunSettings.workersMax).")
        }
        settings.workers = workers
        if let connectionsMax, !(1...Int(Int32.max)).contains(connectionsMax) {
            throw ValidationError("--connections-max must be at least 1.")
        }
        settings.connectionsMax = connectionsMax
        settings.zone = zone
        if let drainTimeout, !(0...Self.drainTimeoutSecondsMax).contains(drainTimeout) {
            throw ValidationError(
                "--drain-timeout must be 0 to \(Int(Self.drainTimeoutSecondsMax)) seconds.")
        }
        settings.drainTimeoutSeconds = drainTimeout
        for name in without {
            guard let feature = KernelFeatures(name: name) else {
                throw ValidationError("--without \(name): the features are \(KernelFeatures.all).")
            }
            settings.without.insert(feature)
        }
        settings.logLevel = try logLevel.map { name in
            guard let level = Logger.Level(rawValue: name) else {
                let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--log-level \(name): the levels are \(names).")
            }
            return level
        }
        settings.admin = try admin.map { text in
            guard let admin = AdminAddress(text) else {
                throw ValidationError("--admin \(text): write \(AdminAddress.forms).")
            }
            return admin
        }
        settings.statisticsPath = statsFile
        return settings
    }

    func validate() throws {
        _ = try settings()
    }

    func run() throws {
        throw Ending(
            code: ForwarderProcess.run(try settings(), startAdmin: AdminServer.start))
    }
}
