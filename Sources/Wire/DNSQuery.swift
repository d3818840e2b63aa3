/// A question to a recursive resolver (RFC 1035 §4.1), as bytes.
public struct DNSQuery: Hashable, Sendable {
    public var id: UInt16
    public var name: DNSName
    public var type: DNSMessage.RecordType
    /// What an answer by UDP may take (EDNS, RFC 6891 §6.2.3); nil = no OPT record, so 512 bytes.
    public var datagramBytesMax: UInt16?

    /// What passes everywhere without fragments (the DNS flag day of 2020).
    public static let datagramBytesOrdinary: UInt16 = 1232

    public init(
        id: UInt16, name: DNSName, type: DNSMessage.RecordType,
        datagramBytesMax: UInt16? = datagramBytesOrdinary
    ) {
        self.id = id
        self.name = name
        self.type = type
        self.datagramBytesMax = datagramBytesMax
    }

    /// The OPT record stands last: c-ares takes it off again by cutting the message, for a server
    /// that does not know EDNS.
    public var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: DNSMessage.headerBytes + name.wire.count + 15)
        let count = bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            writer.writeBigEndian(id)
            // Recursion desired.
            writer.writeBigEndian(UInt16(0x0100))
            writer.writeBigEndian(UInt16(1))
            writer.write(zeros: 4)
            writer.writeBigEndian(UInt16(datagramBytesMax == nil ? 0 : 1))
            for byte in name.wire { writer.write(byte) }
            writer.writeBigEndian(type.rawValue)
            writer.writeBigEndian(DNSMessage.internet)
            if let datagramBytesMax {
                writer.write(0)
                writer.writeBigEndian(DNSMessage.RecordType.opt.rawValue)
                writer.writeBigEndian(datagramBytesMax)
                writer.write(zeros: 6)
            }
            return writer.count
        }
        return Array(bytes[..<count])
    }
}
