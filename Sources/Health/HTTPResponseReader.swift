import Primitives

/// Reads the response to one request, in pieces however they are cut: interim responses, the
/// status, and where the body begins and ends (RFC 9112 §6.3). Keeps the line that it is in and
/// nothing else. Pure; owned by an exchange.
struct HTTPResponseReader {
    enum Phase: Hashable {
        case statusLine, header
        /// So many bytes are left.
        case body(UInt64)
        case chunkSize
        case chunk(UInt64)
        /// The line end after a chunk's data.
        case chunkEnd
        case trailer
        case bodyUntilEnd
        case complete
    }

    /// Of all interim heads, the head and the trailers together.
    static let headBytesMax = 65_536

    private(set) var phase = Phase.statusLine
    /// Of the final response, once its head is complete.
    private(set) var status: UInt16?
    private let isBodyless: Bool
    private var statusRead: UInt16 = 0
    private var line: [UInt8] = []
    private var headBytes = 0
    private var contentLength: UInt64?
    private var isChunked = false
    private var hasOtherCoding = false

    /// - Parameter method: of the request; a response to HEAD has no body.
    init(method: String) {
        isBodyless = method == "HEAD"
    }

    var isComplete: Bool { phase == .complete }

    /// - Parameter body: is given each piece of the body.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, body: (UnsafeRawBufferPointer) -> Void
    ) throws(HTTPFault) {
        var place = 0
        while place < bytes.count, phase != .complete {
            switch phase {
            case .body(let left), .chunk(let left):
                let count = Int(min(left, UInt64(bytes.count - place)))
                body(UnsafeRawBufferPointer(rebasing: bytes[place..<place + count]))
                place += count
                advance(left - UInt64(count))
            case .bodyUntilEnd:
                body(UnsafeRawBufferPointer(rebasing: bytes[place...]))
                place = bytes.count
            default:
                try readLineByte(bytes[place])
                place += 1
            }
        }
    }

    /// The stream has ended.
    mutating func end() throws(HTTPFault) {
        switch phase {
        case .complete: break
        case .bodyUntilEnd: phase = .complete
        default: throw .incomplete
        }
    }

    /// Body bytes were taken, and so many are left.
    private mutating func advance(_ left: UInt64) {
        switch phase {
        case .body: phase = left == 0 ? .complete : .body(left)
        case .chunk: phase = left == 0 ? .chunkEnd : .chunk(left)
        default: preconditionFailure("bytes of a body are in a body")
        }
    }

    // MARK: - Lines

    /// A line may end with LF alone (RFC 9112 §2.2).
    private mutating func readLineByte(_ byte: UInt8) throws(HTTPFault) {
        headBytes += 1
        guard headBytes <= Self.headBytesMax else { throw .headTooLong }
        guard byte == UInt8(ascii: "\n") else {
            line.append(byte)
            return
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        switch phase {
        case .statusLine: try readStatusLine()
        case .header: try line.isEmpty ? finishHead() : readHeader()
        case .chunkSize: try readChunkSize()
        case .chunkEnd:
            guard line.isEmpty else { throw .chunk }
            // Trailers and the sizes of chunks are bounded together, not one endless stream of
            // small chunks: that is body.
            headBytes = 0
            phase = .chunkSize
        case .trailer: if line.isEmpty { phase = .complete }
        case .body, .chunk, .bodyUntilEnd, .complete: preconditionFailure("no lines in a body")
        }
    }

    /// As in `HTTP/1.1 200 OK` (RFC 9112 §4).
    private mutating func readStatusLine() throws(HTTPFault) {
        guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), line[8] == UInt8(ascii: " "),
            line.count == 12 || line[12] == UInt8(ascii: " ")
        else { throw .statusLine }
        var status: UInt16 = 0
        for byte in line[9..<12] {
            guard let digit = Self.digit(byte) else { throw .statusLine }
            status = status * 10 + UInt16(digit)
        }
        guard (100...999).contains(status), Self.digit(line[7]) != nil else { throw .statusLine }
        statusRead = status
        phase = .header
    }

    private mutating func readHeader() throws(HTTPFault) {
        // A folded line goes on with a value (RFC 9112 §5.2); none that matters here is long.
        if line[0] == UInt8(ascii: " ") || line[0] == UInt8(ascii: "\t") { return }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
            throw .headerField
        }
        let name = line[..<colon]
        let value = line[(colon + 1)...]
        if Self.isEqual(name, "content-length") {
            try readContentLength(value)
        } else if Self.isEqual(name, "transfer-encoding") {
            // Only the last coding says where the body ends.
            let last = Self.trimmed(value.split(separator: UInt8(ascii: ",")).last ?? [])
            isChunked = Self.isEqual(last, "chunked")
            hasOtherCoding = true
        }
    }

    /// Several equal numbers are one (RFC 9110 §8.6).
    private mutating func readContentLength(_ value: ArraySlice<UInt8>) throws(HTTPFault) {
        let parts = value.split(
            separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        for part in parts {
            var length: UInt64 = 0
            let digits = Self.trimmed(part)
            guard (1...18).contains(digits.count) else { throw .contentLength }
            for byte in digits {
                guard let digit = Self.digit(byte) else { throw .contentLength }
                length = length * 10 + UInt64(digit)
            }
            guard contentLength == nil || contentLength == length else { throw .contentLength }
            contentLength = length
        }
    }

    private mutating func finishHead() throws(HTTPFault) {
        defer {
            contentLength = nil
            isChunked = false
            hasOtherCoding = false
        }
        // 101 ends HTTP on this connection, though nobody asked for that.
        if statusRead < 200, statusRead != 101 {
            phase = .statusLine
            return
        }
        status = statusRead
        if isBodyless || statusRead == 101 || statusRead == 204 || statusRead == 304 {
            phase = .complete
        } else if isChunked {
            headBytes = 0
            phase = .chunkSize
        } else if hasOtherCoding {
            phase = .bodyUntilEnd
        } else if let contentLength {
            phase = contentLength == 0 ? .complete : .body(contentLength)
        } else {
            phase = .bodyUntilEnd
        }
    }

    /// Hexadecimal, and perhaps extensions after it (RFC 9112 §7.1).
    private mutating func readChunkSize() throws(HTTPFault) {
        var size: UInt64 = 0
        var count = 0
        for byte in line {
            guard let digit = Self.hexDigit(byte) else {
                guard byte == UInt8(ascii: ";") || byte == UInt8(ascii: " ") || byte == 9 else {
                    throw .chunk
                }
                break
            }
            count += 1
            guard count <= 15 else { throw .chunk }
            size = size << 4 | UInt64(digit)
        }
        guard count > 0 else { throw .chunk }
        phase = size == 0 ? .trailer : .chunk(size)
    }

    // MARK: - Text

    private static func digit(_ byte: UInt8) -> UInt8? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? byte - UInt8(ascii: "0") : nil
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        let letter = byte | 0x20
        guard (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(letter) else { return digit(byte) }
        return letter - UInt8(ascii: "a") + 10
    }

    /// - Parameter text: in lower case.
    private static func isEqual(_ bytes: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            bytes.count == text.count
                && zip(bytes, text).allSatisfy { byte, letter in
                    byte == letter
                        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                            && byte | 0x20 == letter
                }
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == 9 }
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }
}
