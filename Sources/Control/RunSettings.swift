import GatewayAPI
import Kernel
import Logging

/// What the command line of `apus run` says; nil = nothing.
public struct RunSettings: Sendable {
    /// Files and directories of configuration; none means the quickstart.
    public var configurationPaths: [String] = []
    /// Whether a change of the files is followed; SIGHUP always is.
    public var watchesConfiguration = true
    public var workers: Int?
    public var connectionsMax: Int?
    /// Where the process runs, as endpoints name their zones.
    public var zone: String?
    public var drainTimeoutSeconds: Double?
    /// Kernel features that must not be used.
    public var without: KernelFeatures = []
    public var logLevel: Logger.Level?
    /// Where the admin server listens.
    public var admin: AdminAddress?
    /// Where the counters are written at exit, as JSON.
    public var statisticsPath: String?

    public static let drainTimeoutSecondsDefault = 30.0
    public static let workersMax = 1024

    public init() {}
}
