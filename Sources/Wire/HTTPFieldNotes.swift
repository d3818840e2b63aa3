/// What the fields of a head say about the message itself: gathered while they are read, weighed
/// when all are there.
struct HTTPFieldNotes {
    private(set) var host: HTTPSpan?
    private(set) var connection: ConnectionOptions = []
    private(set) var hasUpgrade = false
    /// What is asked for in `Upgrade` is for the next hop.
    private var namesHop = false
    private(set) var hasExpectation = false
    private(set) var length: UInt64?
    private(set) var isChunked = false

    /// - Parameter isRequest: `Host` and `Expect` mean nothing in a response.
    @inline(__always)
    mutating func note(
        _ field: HTTPField, isRequest: Bool, in bytes: UnsafeRawBufferPointer
    ) -> HTTPFault? {
        switch field.known {
        case .host where isRequest: noteHost(field.value)
        case .connection: noteConnection(field.value, bytes)
        case .contentLength: noteLength(field.value, bytes)
        case .transferEncoding: noteTransferEncoding(field.value, bytes)
        case .upgrade: noteUpgrade(field.value, bytes)
        case .expect where isRequest: noteExpectation(field.value, bytes)
        default: nil
        }
    }

    private mutating func noteHost(_ value: HTTPSpan) -> HTTPFault? {
        guard host == nil else { return .severalHosts }
        host = value
        return nil
    }

    /// What a message cannot do without must not be named: who removed it would read another
    /// message than who does not.
    private mutating func noteConnection(
        _ value: HTTPSpan, _ bytes: UnsafeRawBufferPointer
    ) -> HTTPFault? {
        var list = HTTPList(value.range)
        while let element = list.next(in: bytes) {
            for place in element where !HTTPByte.token.contains(bytes[place]) {
                return .badConnection
            }
            if HTTPByte.isEqual(bytes, element, ignoringCase: "keep-alive") {
                connection.insert(.keepAlive)
            } else if HTTPByte.isEqual(bytes, element, ignoringCase: "close") {
                connection.insert(.close)
            } else if HTTPByte.isEqual(bytes, element, ignoringCase: "upgrade") {
                connection.insert(.upgrade)
            } else {
                switch KnownField(name: UnsafeRawBufferPointer(rebasing: bytes[element])) {
                case .host, .contentLength, .transferEncoding: return .badConnection
                default: connection.insert(.namesFields)
                }
            }
        }
        return nil
    }

    /// Digits only. Lists of equal numbers, which a recipient may accept (RFC 9110 section 8.6),
    /// are refused: nothing sends them that is not broken or an attack.
    private mutating func noteLength(
        _ value: HTTPSpan, _ bytes: UnsafeRawBufferPointer
    ) -> HTTPFault? {
        guard length == nil else { return .conflictingLengths }
        guard 1...19 ~= value.count else { return .badContentLength }
        var number: UInt64 = 0
        for place in value.range {
            guard HTTPByte.isDigit(bytes[place]) else { return .badContentLength }
            // Nineteen digits are less than 2^64.
            number = number &* 10 &+ UInt64(bytes[place] &- 0x30)
        }
        guard number <= UInt64(Int64.max) else { return .badContentLength }
        length = number
        return nil
    }

    /// Only `chunked`, once. Other codings before it are legal, and refused as unknown
    /// (RFC 9112 section 6.1).
    private mutating func noteTransferEncoding(
        _ value: HTTPSpan, _ bytes: UnsafeRawBufferPointer
    ) -> HTTPFault? {
        guard !isChunked else { return .badTransferEncoding }
        isChunked = true
        if HTTPByte.isEqual(bytes, value.range, ignoringCase: "chunked") { return nil }
        var list = HTTPList(value.range)
        var hasOthers = false
        while let element = list.next(in: bytes) {
            for place in element where !HTTPByte.token.contains(bytes[place]) {
                return .badTransferEncoding
            }
            if HTTPByte.isEqual(bytes, element, ignoringCase: "chunked") {
                let isLast = element.upperBound == value.range.upperBound
                return isLast && hasOthers ? .unknownTransferEncoding : .badTransferEncoding
            }
            hasOthers = true
        }
        return .badTransferEncoding
    }

    /// Another version of HTTP, or TLS, is spoken with the next hop only: whoever let `h2c` pass
    /// would carry requests that nobody has looked at (RFC 9113 section 3.1 has taken it back).
    private mutating func noteUpgrade(
        _ value: HTTPSpan, _ bytes: UnsafeRawBufferPointer
    ) -> HTTPFault? {
        var list = HTTPList(value.range)
        while let element = list.next(in: bytes) {
            hasUpgrade = true
            let end = element.first { bytes[$0] == UInt8(ascii: "/") } ?? element.upperBound
            let name = element.lowerBound..<end
            for hop: StaticString in ["h2c", "h2", "http", "tls"]
            where HTTPByte.isEqual(bytes, name, ignoringCase: hop) { namesHop = true }
        }
        return nil
    }

    private mutating func noteExpectation(
        _ value: HTTPSpan, _ bytes: UnsafeRawBufferPointer
    ) -> HTTPFault? {
        guard HTTPByte.isEqual(bytes, value.range, ignoringCase: "100-continue")
        else { return .badExpectation }
        hasExpectation = true
        return nil
    }

    // MARK: - When all are there

    /// RFC 9112 section 6.1: both lengths, and chunks where HTTP/1.0 is spoken, are how requests
    /// are smuggled.
    func framingFault(_ version: HTTPVersion) -> HTTPFault? {
        guard isChunked else { return nil }
        if length != nil { return .lengthAndChunked }
        return version == .http10 ? .badTransferEncoding : nil
    }

    /// Nil = nothing is said.
    var framing: BodyFraming? {
        isChunked ? .chunked : length.map { .length($0) }
    }

    /// RFC 9112 section 9.3.
    func keepsAlive(_ version: HTTPVersion) -> Bool {
        if connection.contains(.close) { return false }
        return version == .http11 || connection.contains(.keepAlive)
    }

    /// RFC 9110 section 7.8: `Upgrade` counts only with its option, and not in HTTP/1.0.
    func isUpgrade(_ version: HTTPVersion) -> Bool {
        version == .http11 && hasUpgrade && !namesHop && connection.contains(.upgrade)
    }
}
