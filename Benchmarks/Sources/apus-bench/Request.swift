/// What a load sends and expects back unchanged: which one it is and whose, then filling. Trivial.
struct Request: Equatable {
    static let bytesMin = 16

    var sequence: UInt64
    var connection: UInt64

    func write(to buffer: UnsafeMutableRawPointer) {
        buffer.storeBytes(of: sequence.littleEndian, as: UInt64.self)
        buffer.storeBytes(of: connection.littleEndian, toByteOffset: 8, as: UInt64.self)
    }

    init(sequence: UInt64, connection: Int) {
        self.sequence = sequence
        self.connection = UInt64(connection)
    }

    init(_ bytes: UnsafeRawPointer) {
        sequence = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        connection = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
}
