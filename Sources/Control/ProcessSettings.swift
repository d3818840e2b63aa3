import GatewayAPI
import Logging

/// What holds for the process in the end: the command line says it first, then the ApusConfig, then
/// the defaults.
struct ProcessSettings: Hashable {
    /// nil = one for each processor that the process may use.
    let workers: Int?
    /// nil = as many as the descriptors allow.
    let connectionsMax: Int?
    let drainTimeoutSeconds: Double
    let logLevel: Logger.Level
    /// Where the process runs, as endpoints name their zones; nil = it is not known.
    let zone: String?
    let admin: AdminAddress

    private static let millisecondsPerSecond = 1_000.0
    private static let nanosecondsPerSecond = 1_000_000_000.0

    init(_ flags: RunSettings, _ configuration: ApusConfig?) {
        admin = flags.admin ?? configuration?.admin ?? .standard
        zone = flags.zone ?? configuration?.zone
        workers = flags.workers ?? configuration?.workers
        connectionsMax = flags.connectionsMax ?? configuration?.connectionsMax
        let written = configuration?.drainTimeoutMilliseconds.map {
            Double($0) / Self.millisecondsPerSecond
        }
        drainTimeoutSeconds =
            flags.drainTimeoutSeconds ?? written ?? RunSettings.drainTimeoutSecondsDefault
        logLevel =
            flags.logLevel ?? configuration?.logLevel.flatMap(Logger.Level.init(rawValue:)) ?? .info
    }

    var drainTimeoutNanoseconds: UInt64 {
        UInt64(drainTimeoutSeconds * Self.nanosecondsPerSecond)
    }

    /// What differs from `other` and is settled when the process starts, by the names of its
    /// fields.
    func unchangeable(from other: ProcessSettings) -> [String] {
        (workers == other.workers ? [] : ["workers"])
            + (connectionsMax == other.connectionsMax ? [] : ["connectionsMax"])
            + (zone == other.zone ? [] : ["zone"])
            + (admin == other.admin ? [] : ["admin"])
    }
}
