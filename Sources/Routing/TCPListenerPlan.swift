/// How a TCP listener treats its clients (ClientTrafficPolicy).
public struct TCPListenerPlan: Hashable, Sendable {
    /// Whether clients send a PROXY protocol header (ClientTrafficPolicy `spec.proxyProtocol`).
    public enum ProxyHeader: Hashable, Sendable { case none, optional, required }

    public var proxyHeader: ProxyHeader
    /// How long a client may take to send what must be read before it is forwarded, such as the
    /// PROXY header (`spec.timeout.tcp.connectionInspectionTimeout`).
    public var inspectionTimeoutMilliseconds: UInt32
    /// How long a connection may be silent both ways (`spec.timeout.tcp.idleTimeout`); 0 = for
    /// ever.
    public var idleTimeoutMilliseconds: UInt32
    /// `spec.connection.connectionLimit.value`; nil = no limit of its own.
    public var connectionsMax: UInt32?
    /// How long a connection over the limit is kept before it is closed
    /// (`spec.connection.connectionLimit.closeDelay`).
    public var closeDelayMilliseconds: UInt32?
    /// `spec.connection.connectionLimit.maxConnectionDuration`; nil = for ever.
    public var connectionDurationMaxMilliseconds: UInt32?
    /// What may be held of one connection, in bytes (`spec.connection.bufferLimit`).
    public var bufferBytesMax: UInt32?
    /// `spec.connection.maxAcceptPerSocketEvent`; 0 = as many as there are.
    public var acceptsPerEventMax: UInt32?
    public var keepalive: TCPKeepalive?
    /// `spec.timeout.tcp.tlsHandshakeTimeout`.
    public var handshakeTimeoutMilliseconds: UInt32?

    /// What holds where nothing is said: as long as for the hello before.
    public var handshakeTimeout: UInt32 {
        handshakeTimeoutMilliseconds ?? Self.inspectionTimeoutMillisecondsDefault
    }

    public static let inspectionTimeoutMillisecondsDefault: UInt32 = 15_000
    public static let idleTimeoutMillisecondsDefault: UInt32 = 3_600_000

    public init(
        proxyHeader: ProxyHeader = .none,
        inspectionTimeoutMilliseconds: UInt32 = inspectionTimeoutMillisecondsDefault,
        idleTimeoutMilliseconds: UInt32 = idleTimeoutMillisecondsDefault,
        connectionsMax: UInt32? = nil,
        keepalive: TCPKeepalive? = nil
    ) {
        self.proxyHeader = proxyHeader
        self.inspectionTimeoutMilliseconds = inspectionTimeoutMilliseconds
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.connectionsMax = connectionsMax
        self.keepalive = keepalive
    }
}
