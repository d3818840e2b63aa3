import COpenSSL

/// Application protocols in the order of preference, as ALPN writes them (RFC 7301 §3.1): each with
/// its length in front. Immutable; in memory that does not move, because what is chosen of it is
/// pointed to by OpenSSL.
final class ProtocolList: Sendable {
    /// What RFC 7301 leaves room for.
    static let bytesMax = 65_535

    nonisolated(unsafe) let wire: UnsafeBufferPointer<UInt8>

    /// - Returns: nil where there is none, and none is spoken of.
    static func make(_ names: [String]) throws(TLSConfigurationFault) -> ProtocolList? {
        var wire: [UInt8] = []
        for name in names {
            guard (1...255).contains(name.utf8.count),
                wire.count + 1 + name.utf8.count <= bytesMax
            else { throw .applicationProtocol(name) }
            wire.append(UInt8(name.utf8.count))
            wire += Array(name.utf8)
        }
        return wire.isEmpty ? nil : ProtocolList(wire)
    }

    private init(_ bytes: [UInt8]) {
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = memory.initialize(from: bytes)
        wire = UnsafeBufferPointer(memory)
    }

    deinit { wire.deallocate() }

    /// The first of ours that the client has too; without one the connection ends (RFC 7301 §3.2),
    /// for whatever came next would be spoken in a protocol that one of both does not know.
    func choose(
        _ client: UnsafePointer<UInt8>?, _ clientCount: UInt32,
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ chosenCount: UnsafeMutablePointer<UInt8>?
    ) -> Int32 {
        var start: UnsafeMutablePointer<UInt8>?
        let result = SSL_select_next_proto(
            &start, chosenCount, wire.baseAddress, UInt32(wire.count), client, clientCount)
        guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        chosen?.pointee = UnsafePointer(start)
        return SSL_TLSEXT_ERR_OK
    }
}
