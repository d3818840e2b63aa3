/// Builds ClientHellos, and records around them, with whatever a test wants to be wrong. Written
/// from RFC 8446 and not from the code under test.
public struct HelloBytes: Sendable {
    public struct Extension: Sendable {
        public var type: UInt16
        public var body: [UInt8]

        public init(_ type: UInt16, _ body: [UInt8]) {
            (self.type, self.body) = (type, body)
        }

        public static func serverName(_ name: String) -> Self {
            Self(0, HelloBytes.vector16([0] + HelloBytes.vector16(Array(name.utf8))))
        }

        public static func protocols(_ names: String...) -> Self {
            Self(16, HelloBytes.vector16(names.flatMap { HelloBytes.vector8(Array($0.utf8)) }))
        }

        public static func padding(_ count: Int) -> Self {
            Self(21, Array(repeating: 0, count: count))
        }
    }

    public var version: UInt16 = 0x0303
    public var sessionID: [UInt8] = []
    public var suites: [UInt8] = [0x13, 0x01]
    public var compression: [UInt8] = [0]
    /// Nil = no list of extensions at all.
    public var extensions: [Extension]?
    public var surplus: [UInt8] = []

    public init(_ extensions: Extension...) {
        self.extensions = extensions
    }

    private static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    public static func vector8(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count)] + bytes }

    public static func vector16(_ bytes: [UInt8]) -> [UInt8] { big16(bytes.count) + bytes }

    /// The handshake message.
    public var message: [UInt8] {
        var body = Self.big16(Int(version)) + Array(repeating: 7, count: 32)
        body += Self.vector8(sessionID) + Self.vector16(suites) + Self.vector8(compression)
        if let extensions {
            body += Self.vector16(
                extensions.flatMap { Self.big16(Int($0.type)) + Self.vector16($0.body) })
        }
        body += surplus
        return [1, UInt8(body.count >> 16)] + Self.big16(body.count & 0xffff) + body
    }

    /// The message in records of so many bytes at most.
    public func records(of size: Int = 1 << 14) -> [UInt8] { Self.records(message, of: size) }

    public static func records(_ message: [UInt8], of size: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap { start in
            [22, 3, 1] + vector16(Array(message[start..<min(start + size, message.count)]))
        }
    }
}
