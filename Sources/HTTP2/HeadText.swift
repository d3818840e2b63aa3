import CNghttp2

/// The fields of a head as they come out of HPACK, written down as the text that a parser of HTTP/1
/// reads (RFC 9113 section 8.3 says which is which): so that every head is judged by the same
/// rules, whichever way it came. nghttp2 has checked names, values and pseudo-fields.
struct HeadText: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    private let bytesMax: Int
    private var count = 0
    /// Pseudo-fields, wherever they were in the list, and cookies, which are one field in HTTP/1
    /// (RFC 9113 section 8.2.3).
    private var method: [UInt8] = []
    private var path: [UInt8] = []
    private var authority: [UInt8] = []
    private var status: [UInt8] = []
    private var cookies: [UInt8] = []
    private(set) var isTooLong = false
    private var isLineWritten = false

    /// - Parameter bytesMax: of the text.
    init(bytesMax: Int) {
        self.bytesMax = bytesMax
        memory = .allocate(byteCount: bytesMax, alignment: 16)
    }

    deinit { memory.deallocate() }

    mutating func clear() {
        count = 0
        method.removeAll(keepingCapacity: true)
        path.removeAll(keepingCapacity: true)
        authority.removeAll(keepingCapacity: true)
        status.removeAll(keepingCapacity: true)
        cookies.removeAll(keepingCapacity: true)
        (isTooLong, isLineWritten) = (false, false)
    }

    /// Of an answer: another follows it (RFC 9110 section 15.2).
    var isInterim: Bool { status.first == UInt8(ascii: "1") }

    /// One field, in the order of the list.
    mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard !isTooLong else { return }
        if name.first == UInt8(ascii: ":") { return addPseudo(name, value) }
        if !isLineWritten { writeLine() }
        if name.count == 6, name.elementsEqual("cookie".utf8) {
            guard count + cookies.count + value.count <= bytesMax else {
                isTooLong = true
                return
            }
            if !cookies.isEmpty { cookies += [UInt8(ascii: ";"), 0x20] }
            cookies += value
            return
        }
        if name.count == 4, name.elementsEqual("host".utf8) {
            // The authority says the same, or the request is not to be trusted: two lines of
            // `host` are refused by the parser.
            if !authority.isEmpty, value.elementsEqual(authority) { return }
        }
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    private mutating func addPseudo(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) {
        guard value.count <= bytesMax else {
            isTooLong = true
            return
        }
        guard name.count > 2 else { return }
        switch name[1] {
        case UInt8(ascii: "m"): method += value
        case UInt8(ascii: "p") where name.count == 5: path += value
        case UInt8(ascii: "a"): authority += value
        case UInt8(ascii: "s") where name[2] == UInt8(ascii: "t"): status += value
        default: break
        }
    }

    private mutating func writeLine() {
        isLineWritten = true
        if !status.isEmpty {
            append("HTTP/1.1 ")
            append(status)
            append(" \r\n")
        } else if !method.isEmpty {
            append(method)
            append(" ")
            append(path.isEmpty ? authority : path)
            append(" HTTP/1.1\r\n")
            if !authority.isEmpty {
                append("host: ")
                append(authority)
                append("\r\n")
            }
        }
    }

    /// All fields were added.
    mutating func finish() {
        if !isLineWritten { writeLine() }
        if !cookies.isEmpty {
            append("cookie: ")
            append(cookies)
            append("\r\n")
        }
        append("\r\n")
    }

    /// Of trailers: no first line, and no empty one at the end.
    mutating func finishTrailers() {
        if !cookies.isEmpty { cookies.removeAll(keepingCapacity: true) }
    }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[..<count])
    }

    private mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !isTooLong, bytesMax - count >= bytes.count else {
            isTooLong = true
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + bytes.count)])
            .copyMemory(from: bytes)
        count += bytes.count
    }
}
