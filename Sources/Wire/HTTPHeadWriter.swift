import Primitives

/// Appends a head to the caller's memory, and never beyond it: from the first write that found no
/// room nothing more is written, and there is no result.
///
/// Names and values are written as they are given: who makes them up answers for their bytes.
public struct HTTPHeadWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0
    private var isShort = false

    public init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    /// What was written so far; nil = there was no room for it.
    public var written: UnsafeRawBufferPointer? {
        isShort ? nil : UnsafeRawBufferPointer(rebasing: memory[..<count])
    }

    // MARK: - Lines

    /// `GET /a?b HTTP/1.1`
    public mutating func requestLine(
        method: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer,
        query: UnsafeRawBufferPointer?
    ) {
        append(method)
        append(" ")
        if path.isEmpty { append("/") } else { append(path) }
        if let query {
            append("?")
            append(query)
        }
        append(" HTTP/1.1\r\n")
    }

    /// For a target of any form.
    public mutating func requestLine(
        method: UnsafeRawBufferPointer, target: UnsafeRawBufferPointer
    ) {
        append(method)
        append(" ")
        append(target)
        append(" HTTP/1.1\r\n")
    }

    /// `HTTP/1.1 404 Not Found`, with the reason of the registry.
    public mutating func statusLine(_ status: UInt16) {
        statusStart(status)
        append(HTTPReason.phrase(status))
        append("\r\n")
    }

    public mutating func statusLine(_ status: UInt16, reason: UnsafeRawBufferPointer) {
        statusStart(status)
        append(reason)
        append("\r\n")
    }

    private mutating func statusStart(_ status: UInt16) {
        precondition(100...999 ~= status)
        append("HTTP/1.1 ")
        decimal(UInt64(status))
        append(" ")
    }

    public mutating func field(_ name: StaticString, _ value: StaticString) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    public mutating func field(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    public mutating func field(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    public mutating func field(_ name: StaticString, _ value: UInt64) {
        append(name)
        append(": ")
        decimal(value)
        append("\r\n")
    }

    /// A value in which everything but visible ASCII and spaces within it is written as `%0A`
    /// (gRPC's `PROTOCOL-HTTP2.md`, of `grpc-message`).
    public mutating func percentEncoded(_ name: StaticString, _ value: UnsafeRawBufferPointer) {
        append(name)
        append(": ")
        for byte in value {
            if 0x20...0x7e ~= byte, byte != UInt8(ascii: "%") {
                append(byte: byte)
            } else {
                append("%")
                append(byte: Self.upperDigit(byte >> 4))
                append(byte: Self.upperDigit(byte & 15))
            }
        }
        append("\r\n")
    }

    private static func upperDigit(_ digit: UInt8) -> UInt8 {
        digit < 10 ? 0x30 + digit : 0x37 + digit
    }

    /// A field as it was read, its name's case kept.
    public mutating func field(_ field: HTTPField, of head: UnsafeRawBufferPointer) {
        self.field(field.name.bytes(in: head), field.value.bytes(in: head))
    }

    /// The empty line.
    public mutating func end() {
        append("\r\n")
    }

    // MARK: - Chunks

    /// The line before a chunk's data, which CR and LF follow.
    public mutating func chunkSize(_ size: UInt64) {
        hexadecimal(size)
        append("\r\n")
    }

    // MARK: - Parts

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !isShort, memory.count - count >= bytes.count else {
            isShort = true
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + bytes.count)])
            .copyMemory(from: bytes)
        count += bytes.count
    }

    public mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func decimal(_ value: UInt64) {
        if value >= 10 { decimal(value / 10) }
        append(byte: 0x30 + UInt8(value % 10))
    }

    /// Lowercase.
    public mutating func hexadecimal(_ value: UInt64) {
        if value >= 16 { hexadecimal(value >> 4) }
        let digit = UInt8(value & 15)
        append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
    }

    /// As in `X-Forwarded-For`: without brackets or a port.
    public mutating func address(_ address: IPAddress) {
        let address = address.unmapped
        guard !isShort, memory.count - count >= Self.addressBytesMax else {
            isShort = true
            return
        }
        var writer = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
        AddressText.write(address, isIPv4: address.isIPv4, to: &writer)
        count += writer.count
    }

    /// `INET6_ADDRSTRLEN` less its zero byte.
    private static let addressBytesMax = 45

    /// A random identifier (RFC 9562 section 5.4) of 122 of the bits.
    public mutating func uuid(_ high: UInt64, _ low: UInt64) {
        let high = high & ~0xf000 | 0x4000
        let low = low & ~(0xc000 << 48) | 0x8000 << 48
        for place in 0..<32 {
            if place == 8 || place == 12 || place == 16 || place == 20 { append(byte: 0x2d) }
            let half = place < 16 ? high : low
            let digit = UInt8(half >> UInt64(60 - place % 16 * 4) & 15)
            append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    private mutating func append(byte: UInt8) {
        guard !isShort, count < memory.count else {
            isShort = true
            return
        }
        memory[count] = byte
        count += 1
    }
}

/// Reasons of statuses (RFC 9110 section 15, and IANA's registry).
enum HTTPReason {
    /// Empty = the registry has none.
    static func phrase(_ status: UInt16) -> StaticString {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 103: "Early Hints"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 425: "Too Early"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 511: "Network Authentication Required"
        default: ""
        }
    }
}
