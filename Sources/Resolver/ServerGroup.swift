import Primitives

/// The servers that one kind of question goes to, and which of them failed of late. One that failed
/// is asked after the others for a while, so that a dead first server costs one wait and not one
/// for every name. Owned by the directory on the resolver's thread.
struct ServerGroup {
    let servers: [SocketAddress]
    private var troubledUntil: [UInt64]
    /// The server to begin with, where the system's configuration says `rotate`.
    private var turn = 0
    private let rotates: Bool

    static let troubleMilliseconds: UInt64 = 30_000

    init(_ servers: [SocketAddress], rotates: Bool = false) {
        precondition(!servers.isEmpty)
        self.servers = servers
        self.rotates = rotates
        troubledUntil = Array(repeating: 0, count: servers.count)
    }

    /// All servers, in the order in which to ask them now.
    mutating func order(now: UInt64) -> [Int] {
        var order = Array(servers.indices)
        if rotates {
            order = order.map { ($0 + turn) % servers.count }
            turn = (turn + 1) % servers.count
        }
        return order.filter { troubledUntil[$0] <= now } + order.filter { troubledUntil[$0] > now }
    }

    mutating func note(_ server: Int, isWell: Bool, now: UInt64) {
        troubledUntil[server] = isWell ? 0 : now + Self.troubleMilliseconds
    }
}
