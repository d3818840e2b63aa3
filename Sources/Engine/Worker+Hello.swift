import Kernel
import Routing
import Wire

/// From a ClientHello to a route: the name that the client asks for chooses the server, and the
/// server's routes where its bytes go; as they are, or what is in them.
extension Worker where R: ~Copyable {
    mutating func judgeHello(_ index: UInt32) {
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        // A plan that came meanwhile may look at nothing any more.
        guard listener.pointee.readsHello, let table = listener.pointee.table else {
            timers.cancel(index)
            return serve(index)
        }
        switch hellos.read(details[Int(index)].inspected, in: streamBuffers) {
        case .needMore: armInspection(index)
        case .notTLS: terminate(index, .notTLS)
        case .malformed(.tooLong): refuse(index, .helloTooLong, .decodeError)
        case .malformed: refuse(index, .helloMalformed, .decodeError)
        case .match(let hello): follow(hello, table, index)
        }
    }

    private mutating func follow(_ hello: ClientHello, _ table: ListenerTable, _ index: UInt32) {
        timers.cancel(index)
        switch table.decide(serverName: hello.serverName) {
        case .route(let server, let route):
            let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
            let place = listener.pointee.place(server: server, route: route)
            guard listener.pointee.terminates(server) else { return lead(index, to: place) }
            guard let own = listener.pointee.tls[server] else {
                return refuse(index, .serverUnserved, .internalError)
            }
            guard let cluster = choose(index, place) else { return }
            hold(cluster, by: index)
            secure(index, by: own, serverName: hello.serverName)
        case .requests(let server):
            let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
            guard let own = listener.pointee.tls[server] else {
                return refuse(index, .serverUnserved, .internalError)
            }
            details[Int(index)].server = .init(
                place: UInt32(server), version: listener.pointee.serversVersion)
            secure(index, by: own, serverName: hello.serverName)
        case .noServer:
            let reason: TerminationReason =
                hello.serverName == nil ? .serverNameMissing : .serverUnknown
            refuse(index, reason, .unrecognizedName)
        case .noRoute:
            refuse(index, .noRoute, .unrecognizedName)
        }
    }

    /// Tells a client that waits for an answer to its hello why there will be none (RFC 8446
    /// section 6). The socket is new, so that its buffer takes so few bytes.
    private mutating func refuse(
        _ index: UInt32, _ reason: TerminationReason, _ alert: TLSAlert
    ) {
        let record = alert.record
        withUnsafeBytes(of: record) { bytes in
            guard let start = bytes.baseAddress else { return }
            _ = ring.send(connections[index].pointee.client, start, count: bytes.count)
        }
        terminate(index, reason)
    }
}
