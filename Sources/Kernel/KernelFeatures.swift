/// What the running kernel offers beyond Linux 6.1's minimum, or was told not to use (`apus run
/// --without NAME`, which is how the degraded paths are tested). Probed once at start.
public struct KernelFeatures: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// `IORING_SETUP_DEFER_TASKRUN` with `SINGLE_ISSUER`, Linux 6.1: completions are made when the
    /// worker asks for them. Without it: `COOP_TASKRUN`.
    public static let deferTaskrun = KernelFeatures(rawValue: 1 << 0)
    /// `IORING_RECV_MULTISHOT`, Linux 6.0. Without it each receive is armed anew.
    public static let multishotReceive = KernelFeatures(rawValue: 1 << 1)
    /// `IORING_ACCEPT_MULTISHOT`, Linux 5.19.
    public static let multishotAccept = KernelFeatures(rawValue: 1 << 2)
    /// `IORING_FEAT_MIN_TIMEOUT`, Linux 6.12: wait for several completions, but not long.
    public static let minimumWait = KernelFeatures(rawValue: 1 << 3)
    /// `IORING_REGISTER_RING_FDS`, Linux 5.18: saves looking up the ring at each system call.
    public static let registeredRing = KernelFeatures(rawValue: 1 << 4)
    /// `splice(2)` between sockets and pipes. Without it bulk data is copied.
    public static let splice = KernelFeatures(rawValue: 1 << 5)
    /// `UDP_GRO` on receive, Linux 5.0.
    public static let udpReceiveOffload = KernelFeatures(rawValue: 1 << 6)
    /// `UDP_SEGMENT` on send, Linux 4.18.
    public static let udpSegmentation = KernelFeatures(rawValue: 1 << 7)

    public static let all = KernelFeatures(names.map(\.feature))

    public static let names: [(feature: KernelFeatures, name: String)] = [
        (.deferTaskrun, "defer-taskrun"),
        (.multishotReceive, "multishot-receive"),
        (.multishotAccept, "multishot-accept"),
        (.minimumWait, "minimum-wait"),
        (.registeredRing, "registered-ring"),
        (.splice, "splice"),
        (.udpReceiveOffload, "udp-gro"),
        (.udpSegmentation, "udp-gso"),
    ]

    public init?(name: String) {
        guard let entry = Self.names.first(where: { $0.name == name }) else { return nil }
        self = entry.feature
    }
}

extension KernelFeatures: CustomStringConvertible {
    public var description: String {
        Self.names.filter { contains($0.feature) }.map(\.name).joined(separator: " ")
    }
}
