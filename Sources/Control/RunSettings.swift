import Kernel
import Logging

/// What the command line of `apus run` says.
public struct RunSettings: Sendable {
    /// Files and directories of configuration; none means the quickstart.
    public var configurationPaths: [String] = []
    /// Whether a change of the files is followed; SIGHUP always is.
    public var watchesConfiguration = true
    /// nil = one for each processor that the process may use.
    public var workers: Int?
    /// nil = as many as the descriptors allow.
    public var connectionsMax: Int?
    public var drainTimeoutSeconds: Double = Self.drainTimeoutSecondsDefault
    /// Kernel features that must not be used.
    public var without: KernelFeatures = []
    public var logLevel = Logger.Level.info
    /// Where the counters are written at exit, as JSON.
    public var statisticsPath: String?

    public static let drainTimeoutSecondsDefault = 30.0
    public static let workersMax = 1024

    var drainTimeoutNanoseconds: UInt64 {
        UInt64(drainTimeoutSeconds * Self.nanosecondsPerSecond)
    }

    private static let nanosecondsPerSecond = 1_000_000_000.0

    public init() {}
}
