/// A domain name as DNS compares them (RFC 1035 §3.1, RFC 4343): the labels with their lengths and
/// the root's zero byte, without compression, ASCII letters in lower case. A value; labels may hold
/// any bytes.
public struct DNSName: Hashable, Sendable {
    /// 1 to `bytesMax` bytes.
    public let wire: [UInt8]

    /// RFC 1035 §2.3.4.
    public static let bytesMax = 255
    public static let labelBytesMax = 63

    public static let root = DNSName(wire: [0])

    init(wire: [UInt8]) {
        precondition(wire.last == 0 && wire.count <= Self.bytesMax)
        self.wire = wire
    }

    /// Reads the textual form; a dot at the end may stand or not. Escapes are not understood:
    /// configuration has none, and a name that needs them is refused.
    public init?(_ text: some StringProtocol) {
        var labels = Array(text.utf8)
        if labels.last == UInt8(ascii: ".") { labels.removeLast() }
        var wire: [UInt8] = []
        if !labels.isEmpty {
            for label in labels.split(
                separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            {
                guard (1...Self.labelBytesMax).contains(label.count) else { return nil }
                guard !label.contains(UInt8(ascii: "\\")) else { return nil }
                wire.append(UInt8(label.count))
                wire += label.map(Self.lowercased)
            }
        } else if text != "." {
            return nil
        }
        guard wire.count < Self.bytesMax else { return nil }
        self.wire = wire + [0]
    }

    /// This name below another, as search lists need it; nil when it would be too long.
    public func appending(_ parent: DNSName) -> DNSName? {
        let joined = wire.dropLast() + parent.wire
        return joined.count <= Self.bytesMax ? DNSName(wire: Array(joined)) : nil
    }

    public var isRoot: Bool { wire.count == 1 }

    public var labelCount: Int {
        var count = 0
        var offset = 0
        while wire[offset] != 0 {
            count += 1
            offset += Int(wire[offset]) + 1
        }
        return count
    }

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}

extension DNSName: CustomStringConvertible {
    /// Without the dot at the end, the root as `.`; what is no plain character is escaped as in
    /// RFC 1035 §5.1, so that a hostile name cannot forge a line of a log.
    public var description: String {
        guard !isRoot else { return "." }
        var text = ""
        var offset = 0
        while wire[offset] != 0 {
            if offset > 0 { text += "." }
            let end = offset + 1 + Int(wire[offset])
            for byte in wire[offset + 1..<end] { text += Self.escaped(byte) }
            offset = end
        }
        return text
    }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
        case 0x21...0x7e: String(UnicodeScalar(byte))
        default: "\\\(byte / 100)\(byte / 10 % 10)\(byte % 10)"
        }
    }
}
