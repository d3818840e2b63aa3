import Kernel
import Primitives

/// Two connections after an upgrade (RFC 9110 section 7.8): bytes both ways, to the end of both
/// streams.
extension Worker where R: ~Copyable {
    /// After an upgrade: all that waits goes on as it came.
    mutating func passTunnel(_ index: UInt32, _ way: Way) -> Bool {
        let input = channel(index, way)
        guard !input.pointee.queue.isEmpty, let other = partner(of: index, way),
            !isBlocked(other)
        else { return false }
        _ = pass(bytes(of: input.pointee.queue.head), from: index, to: other, way)
        return true
    }

    /// The other end of the exchange that a connection is in.
    func partner(of index: UInt32, _ way: Way) -> UInt32? {
        let id = peers[Int(index)].exchange
        guard id != Exchange.none else { return nil }
        let exchange = exchanges[id]
        let other = way == .request ? exchange.pointee.endpoint : exchange.pointee.client
        guard other != Exchange.none, connections[other].pointee.phase == .exchanging else {
            return nil
        }
        return other
    }

    /// One end of a tunnel has ended its stream: the other is told when it has all bytes, and when
    /// both have, the tunnel is over.
    mutating func endTunnel(_ index: UInt32, _ way: Way) {
        guard channel(index, way).pointee.queue.isEmpty, let other = partner(of: index, way),
            !isBlocked(other)
        else { return }
        let generation = connections.generation(of: other)
        shutPeer(other, way)
        guard isExchanging(other, generation), peers[Int(other)].isEnded,
            case .shut = peers[Int(other)].sending, case .shut = peers[Int(index)].sending
        else { return }
        let client = way == .request ? index : other
        terminate(client, way == .request ? .endpointClosed : .clientClosed)
    }
}
