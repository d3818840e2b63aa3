import TLS

/// The memory in which one worker speaks TLS: what sessions read and write, and what they have
/// decrypted, for the length of one step. Made when the first connection needs it. Worker
/// thread only.
final class TLSDesk {
    var records: RecordExchange
    /// Plaintext of a received buffer, which holds the end of one record and the next at most.
    let plaintext: UnsafeMutableRawBufferPointer

    /// Handshake steps in one turn of the loop; each may take a millisecond (an RSA signature), and
    /// connections that are served wait as long.
    static let stepsPerTurn = 8

    init() {
        records = RecordExchange(outputBytes: 131_072)
        plaintext = .allocate(byteCount: 2 * TLSSession.recordBytesMax, alignment: 64)
    }

    deinit {
        plaintext.deallocate()
    }
}
