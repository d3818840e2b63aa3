import CLinux
import Health
import Primitives

/// How many descriptors the process may have, and how many connections that is enough for.
public struct DescriptorLimit: Hashable, Sendable {
    /// What is shared out: see `share`.
    public struct Share: Hashable, Sendable {
        /// For all workers together.
        public var connectionsMax: Int
        /// For each worker.
        public var pipesMax: Int
        /// How it came about, for the log.
        public var derivation: String
    }

    public let descriptors: Int

    /// Memory's bound, not the descriptors': more connections than this only when asked for.
    static let connectionsMaxDerived = 1_000_000
    /// Standard streams, signals, log and configuration files, and what libraries open.
    private static let processReserve = 64
    /// Ring, wake-ups and what is in flight between accept and refusal.
    private static let workerReserve = 8
    /// A relayed connection has one descriptor to the client and one to the endpoint.
    private static let perConnection = 2

    init(descriptors: Int) {
        self.descriptors = descriptors
    }

    /// Checks of endpoints that may be under way; with few descriptors they take turns.
    public var checksMax: Int {
        max(1, min(HealthThread.Settings().flyingMax, descriptors / 16))
    }

    /// Raises RLIMIT_NOFILE's soft limit to the hard one.
    public static func raise() throws(StartFailure) -> DescriptorLimit {
        let result = apus_raise_descriptor_limit()
        if let error = Errno(result: result) {
            throw StartFailure("the limit on descriptors (RLIMIT_NOFILE) cannot be read: \(error)")
        }
        return DescriptorLimit(descriptors: result)
    }

    /// - Parameters:
    ///   - listeners: listening addresses; every worker has a socket for each.
    ///   - pipesMax: what a worker would like; pipes never take more than a quarter of all.
    ///   - asked: `--connections-max`; refused when the descriptors do not suffice.
    ///   - others: descriptors that other parts of the process need.
    public func share(
        listeners: Int, workers: Int, pipesMax: Int, asked: Int?, others: Int = 0
    ) throws(StartFailure) -> Share {
        precondition(listeners >= 0 && workers > 0 && pipesMax > 0 && others >= 0)
        let pipes = max(1, min(pipesMax, descriptors / (8 * workers)))
        func reserve(pipes: Int, checks: Int) -> Int {
            Self.processReserve + checks + listeners * workers
                + workers * (2 * pipes + Self.workerReserve) + others
        }
        let reserved = reserve(pipes: pipes, checks: checksMax)
        let most = max(1, (descriptors - reserved) / Self.perConnection)
        let derivation =
            "\(descriptors) descriptors less \(reserved) reserved, "
            + "\(Self.perConnection) a connection"
        guard let asked else {
            let count = min(most, Self.connectionsMaxDerived)
            return Share(connectionsMax: count, pipesMax: pipes, derivation: derivation)
        }
        guard asked <= most else {
            // With more descriptors there will be more pipes and checks too.
            let needed =
                asked * Self.perConnection
                + reserve(pipes: pipesMax, checks: HealthThread.Settings().flyingMax)
            throw StartFailure(
                "--connections-max \(asked) needs \(needed) descriptors, but the limit is "
                    + "\(descriptors) (enough for \(most) connections): raise it with "
                    + "`ulimit -n \(needed)` (LimitNOFILE= in a systemd unit) or ask for fewer")
        }
        return Share(connectionsMax: asked, pipesMax: pipes, derivation: "--connections-max")
    }
}
