import Primitives

/// Messages of a name server, written from RFC 1035 and not from the code under test.
public struct DNSBytes: Sendable {
    public struct Record: Sendable {
        public let owner: String
        public let type: UInt16
        public let ttl: UInt32
        public let data: [UInt8]

        public init(_ owner: String, _ type: UInt16, _ ttl: UInt32, _ data: [UInt8]) {
            self.owner = owner
            self.type = type
            self.ttl = ttl
            self.data = data
        }

        public static func a(_ owner: String, _ ttl: UInt32, _ address: String) -> Record {
            Record(owner, 1, ttl, DNSBytes.bytes(of: address))
        }

        public static func aaaa(_ owner: String, _ ttl: UInt32, _ address: String) -> Record {
            Record(owner, 28, ttl, DNSBytes.bytes(of: address))
        }

        public static func cname(_ owner: String, _ ttl: UInt32, _ target: String) -> Record {
            Record(owner, 5, ttl, DNSBytes.name(target))
        }

        public static func srv(
            _ owner: String, _ ttl: UInt32, _ priority: UInt16, _ weight: UInt16, _ port: UInt16,
            _ target: String
        ) -> Record {
            let numbers = [priority, weight, port].flatMap(DNSBytes.bigEndian)
            return Record(owner, 33, ttl, numbers + DNSBytes.name(target))
        }

        public static func soa(_ owner: String, _ ttl: UInt32, minimum: UInt32) -> Record {
            let numbers = [UInt8](repeating: 0, count: 16) + DNSBytes.bigEndian(minimum)
            return Record(owner, 6, ttl, DNSBytes.name("ns.\(owner)") + [0] + numbers)
        }

        public var bytes: [UInt8] {
            DNSBytes.name(owner) + DNSBytes.bigEndian(type) + [0, 1] + DNSBytes.bigEndian(ttl)
                + DNSBytes.bigEndian(UInt16(data.count)) + data
        }
    }

    public var id: UInt16 = 0
    public var name: String
    public var type: UInt16
    public var code: UInt8 = 0
    public var isTruncated = false
    public var answers: [Record] = []
    public var authorities: [Record] = []
    public var additionals: [Record] = []

    public init(
        _ name: String, _ type: UInt16 = 1, code: UInt8 = 0, answers: [Record] = [],
        authorities: [Record] = [], additionals: [Record] = []
    ) {
        self.name = name
        self.type = type
        self.code = code
        self.answers = answers
        self.authorities = authorities
        self.additionals = additionals
    }

    public var bytes: [UInt8] {
        let flags = UInt16(0x8180) | UInt16(code) | (isTruncated ? 0x0200 : 0)
        let counts = [answers.count, authorities.count, additionals.count].map(UInt16.init)
        let head = ([id, flags, 1] + counts).flatMap(Self.bigEndian)
        let question = Self.name(name) + Self.bigEndian(type) + [0, 1]
        let records = (answers + authorities + additionals).flatMap(\.bytes)
        return head + question + records
    }

    public static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    public static func bigEndian(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        stride(from: value.bitWidth - 8, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: value >> $0)
        }
    }

    public static func bytes(of text: String) -> [UInt8] {
        let address = IPAddress.of(text)
        return address.isIPv4
            ? bigEndian(address.v4) : bigEndian(address.high) + bigEndian(address.low)
    }
}

extension IPAddress {
    public static func of(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { fatalError("\(text) is no address") }
        return address
    }
}
