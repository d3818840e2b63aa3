import Primitives

/// A DNS message that was received (RFC 1035 §4): header, questions and records, with the data of
/// the types that name resolution needs. What it says is not believed yet: whether a record belongs
/// to the question is for the reader to find out.
public struct DNSMessage: Hashable, Sendable {
    /// RFC 1035 §3.2.2 and later.
    public struct RecordType: Hashable, Sendable, RawRepresentable {
        public let rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let a = RecordType(rawValue: 1)
        public static let cname = RecordType(rawValue: 5)
        public static let soa = RecordType(rawValue: 6)
        public static let aaaa = RecordType(rawValue: 28)
        public static let srv = RecordType(rawValue: 33)
        /// EDNS (RFC 6891 §6.1).
        public static let opt = RecordType(rawValue: 41)
    }

    /// RFC 1035 §4.1.1. Codes above 15 need EDNS and mean nothing to a resolver's client.
    public enum ResponseCode {
        public static let noError: UInt8 = 0
        public static let formatError: UInt8 = 1
        public static let serverFailure: UInt8 = 2
        public static let nameError: UInt8 = 3
        public static let notImplemented: UInt8 = 4
        public static let refused: UInt8 = 5
    }

    public struct Question: Hashable, Sendable {
        public let name: DNSName
        public let type: RecordType
        public let recordClass: UInt16
    }

    public enum Data: Hashable, Sendable {
        case address(IPAddress)
        case alias(DNSName)
        case service(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
        /// Of an SOA only how long its zone's negative answers hold (RFC 2308 §4).
        case authority(minimumTTL: UInt32)
        case other
    }

    public struct Record: Hashable, Sendable {
        public let owner: DNSName
        public let type: RecordType
        public let recordClass: UInt16
        /// Seconds; a value with its top bit set counts as 0 (RFC 2181 §8).
        public let ttl: UInt32
        public let data: Data
    }

    public var id: UInt16 = 0
    public var isResponse = false
    public var isTruncated = false
    public var responseCode: UInt8 = 0
    public var questions: [Question] = []
    public var answers: [Record] = []
    public var authorities: [Record] = []
    public var additionals: [Record] = []

    public static let internet: UInt16 = 1
    public static let headerBytes = 12

    /// RFC 6891 §6.1: whoever understands EDNS answers with an OPT record.
    public var hasExtension: Bool { additionals.contains { $0.type == .opt } }

    /// The counts of a header promise nothing: each record takes 11 bytes and more, so the length
    /// of the message bounds the work. What follows the last record is ignored.
    public init(_ bytes: RawSpan) throws(DNSFault) {
        guard bytes.byteCount >= Self.headerBytes else { throw .headerTruncated }
        id = bytes.bigEndian(at: 0)
        let flags: UInt16 = bytes.bigEndian(at: 2)
        isResponse = flags & 0x8000 != 0
        isTruncated = flags & 0x0200 != 0
        responseCode = UInt8(flags & 0x0f)
        var offset = Self.headerBytes
        for _ in 0..<bytes.bigEndian(UInt16.self, at: 4) {
            let name = try DNSName(in: bytes, at: &offset)
            guard bytes.byteCount - offset >= 4 else { throw .questionTruncated }
            questions.append(
                Question(
                    name: name, type: RecordType(rawValue: bytes.bigEndian(at: offset)),
                    recordClass: bytes.bigEndian(at: offset + 2)))
            offset += 4
        }
        answers = try Self.records(bytes.bigEndian(at: 6), in: bytes, at: &offset)
        authorities = try Self.records(bytes.bigEndian(at: 8), in: bytes, at: &offset)
        additionals = try Self.records(bytes.bigEndian(at: 10), in: bytes, at: &offset)
    }

    private static func records(
        _ count: UInt16, in bytes: RawSpan, at offset: inout Int
    ) throws(DNSFault) -> [Record] {
        var records: [Record] = []
        for _ in 0..<count { records.append(try Record(in: bytes, at: &offset)) }
        return records
    }
}

extension DNSMessage.Record {
    /// Type, class, TTL and length of the data.
    private static let headBytes = 10

    init(in bytes: RawSpan, at offset: inout Int) throws(DNSFault) {
        owner = try DNSName(in: bytes, at: &offset)
        guard bytes.byteCount - offset >= Self.headBytes else { throw .recordTruncated }
        type = DNSMessage.RecordType(rawValue: bytes.bigEndian(at: offset))
        recordClass = bytes.bigEndian(at: offset + 2)
        let seconds: UInt32 = bytes.bigEndian(at: offset + 4)
        ttl = seconds >> 31 == 0 ? seconds : 0
        let length = Int(bytes.bigEndian(UInt16.self, at: offset + 8))
        let start = offset + Self.headBytes
        guard bytes.byteCount - start >= length else { throw .recordTruncated }
        offset = start + length
        data = try DNSMessage.Data(type, in: bytes, start..<offset)
    }
}

extension DNSMessage.Data {
    /// Names in data may be compressed, and so reach back before the record.
    init(
        _ type: DNSMessage.RecordType, in bytes: RawSpan, _ range: Range<Int>
    ) throws(DNSFault) {
        switch type {
        case .a:
            guard range.count == 4 else { throw .dataMalformed }
            self = .address(IPAddress(v4: bytes.bigEndian(at: range.lowerBound)))
        case .aaaa:
            guard range.count == 16 else { throw .dataMalformed }
            self = .address(
                IPAddress(
                    v6High: bytes.bigEndian(at: range.lowerBound),
                    low: bytes.bigEndian(at: range.lowerBound + 8)))
        case .cname:
            self = .alias(try Self.name(in: bytes, range))
        case .srv:
            guard range.count > 6 else { throw .dataMalformed }
            let start = range.lowerBound
            self = .service(
                priority: bytes.bigEndian(at: start), weight: bytes.bigEndian(at: start + 2),
                port: bytes.bigEndian(at: start + 4),
                target: try Self.name(in: bytes, start + 6..<range.upperBound))
        case .soa:
            // Two names, then five numbers, of which the last is wanted.
            var offset = range.lowerBound
            _ = try DNSName(in: bytes, at: &offset)
            _ = try DNSName(in: bytes, at: &offset)
            guard range.upperBound - offset == 20 else { throw .dataMalformed }
            let seconds: UInt32 = bytes.bigEndian(at: offset + 16)
            self = .authority(minimumTTL: seconds >> 31 == 0 ? seconds : 0)
        default:
            self = .other
        }
    }

    /// The name that is all of a range.
    private static func name(in bytes: RawSpan, _ range: Range<Int>) throws(DNSFault) -> DNSName {
        var offset = range.lowerBound
        let name = try DNSName(in: bytes, at: &offset)
        guard offset == range.upperBound else { throw .dataMalformed }
        return name
    }
}

extension DNSName {
    /// Reads a name of a message and moves `offset` behind it. A pointer must lead before the place
    /// where the labels it continues began: each jump then goes further back, and none can loop.
    init(in bytes: RawSpan, at offset: inout Int) throws(DNSFault) {
        var wire: [UInt8] = []
        var place = offset
        var segmentStart = offset
        var end: Int?
        while true {
            guard place < bytes.byteCount else { throw .nameTruncated }
            let length = Int(bytes.byte(at: place))
            switch length >> 6 {
            case 0:
                guard bytes.byteCount - place > length else { throw .nameTruncated }
                // One byte stays for the root's label.
                guard wire.count + 1 + length < Self.bytesMax || length == 0 else {
                    throw .nameTooLong
                }
                wire.append(UInt8(length))
                for at in place + 1..<place + 1 + length {
                    wire.append(Self.lowercased(bytes.byte(at: at)))
                }
                place += 1 + length
                guard length == 0 else { continue }
                offset = end ?? place
                self.init(wire: wire)
                return
            case 3:
                guard bytes.byteCount - place >= 2 else { throw .nameTruncated }
                let target = Int(bytes.bigEndian(UInt16.self, at: place) & 0x3fff)
                guard target < segmentStart else { throw .pointerNotBackwards }
                end = end ?? place + 2
                place = target
                segmentStart = target
            default:
                throw .labelTypeUnknown
            }
        }
    }
}
