/// `spec.tcpKeepalive` of ClientTrafficPolicy and BackendTrafficPolicy; nil = the system's default
/// (`tcp(7)`).
public struct TCPKeepalive: Hashable, Sendable {
    public var probes: UInt32?
    public var idleSeconds: UInt32?
    public var intervalSeconds: UInt32?

    public init(probes: UInt32? = nil, idleSeconds: UInt32? = nil, intervalSeconds: UInt32? = nil) {
        self.probes = probes
        self.idleSeconds = idleSeconds
        self.intervalSeconds = intervalSeconds
    }
}
