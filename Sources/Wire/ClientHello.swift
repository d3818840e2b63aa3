/// What a TLS client says first (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2), as far as it
/// matters before anybody answers. Trivial: it refers to the memory that it was read from, and is
/// good as long as that is.
public struct ClientHello: BitwiseCopyable {
    /// The message with its type and length.
    public let message: UnsafeRawBufferPointer
    /// `legacy_version`, or the highest of `supported_versions` that is a version of TLS.
    public internal(set) var versionMax: UInt16
    /// It has an inner hello that only its server can read (encrypted_client_hello); `serverName`
    /// is then the outer one.
    public internal(set) var hasEncryptedHello = false
    /// Offsets into `message`; empty = there is none.
    var serverNameRange = OffsetRange()
    var protocolsRange = OffsetRange()

    init(message: UnsafeRawBufferPointer, version: UInt16) {
        self.message = message
        versionMax = version
    }

    /// The name that the client asks for (RFC 6066 section 3), as it wrote it but for a dot at its
    /// end; nil = none, or an address, which is no name.
    public var serverName: UnsafeRawBufferPointer? {
        serverNameRange.isEmpty ? nil : UnsafeRawBufferPointer(rebasing: message[serverNameRange])
    }

    /// The protocols that the client offers (ALPN, RFC 7301), the best first.
    public var protocols: ProtocolNames {
        ProtocolNames(UnsafeRawBufferPointer(rebasing: message[protocolsRange]))
    }

    /// Half-open, in the message.
    struct OffsetRange: BitwiseCopyable {
        var start: Int32 = 0
        var end: Int32 = 0

        init() {}

        init(_ range: Range<Int>) {
            (start, end) = (Int32(range.lowerBound), Int32(range.upperBound))
        }

        var isEmpty: Bool { start == end }
    }

    /// Walks a list of names, each behind its length; the parser has seen that it is whole.
    public struct ProtocolNames: Sequence, IteratorProtocol {
        private var rest: UnsafeRawBufferPointer

        init(_ list: UnsafeRawBufferPointer) {
            rest = list
        }

        public mutating func next() -> UnsafeRawBufferPointer? {
            guard let count = rest.first.map(Int.init) else { return nil }
            defer { rest = UnsafeRawBufferPointer(rebasing: rest[(1 + count)...]) }
            return UnsafeRawBufferPointer(rebasing: rest[1...count])
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate subscript(range: ClientHello.OffsetRange) -> Slice<UnsafeRawBufferPointer> {
        self[Int(range.start)..<Int(range.end)]
    }
}
