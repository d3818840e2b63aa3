/// Reads the head of an HTTP/1 request (RFC 9112), strictly: what could be read in two ways is
/// refused. Keeps nothing between calls: it is given all bytes received so far, each time from the
/// first. Allocates nothing.
///
/// A verdict other than `incomplete` is final: more bytes never change it. Of a head that comes in
/// pieces, what is wrong may be told only when its first line, or all of it, is there.
public struct HTTPRequestParser: Hashable, Sendable {
    public enum Verdict: BitwiseCopyable {
        case incomplete
        case complete(HTTPRequestLine)
        /// The connection preface of HTTP/2 (RFC 9113 section 3.4), all 24 bytes of it.
        case http2Preface
        case malformed(HTTPFault)
    }

    /// What becomes of fields with an underscore, which CGI cannot tell from a hyphen
    /// (ClientTrafficPolicy `headers.withUnderscoresAction`).
    public enum Underscores: UInt8, Hashable, Sendable {
        case allow, reject
        /// They are not noted in the table.
        case drop
    }

    public let headBytesMax: Int
    public let fieldsMax: Int
    public let targetBytesMax: Int
    public let underscores: Underscores

    public init(
        headBytesMax: Int = 60 << 10, fieldsMax: Int = 100, targetBytesMax: Int = 16 << 10,
        underscores: Underscores = .reject
    ) {
        precondition(headBytesMax > 0 && 0...Int(UInt16.max) ~= fieldsMax && targetBytesMax > 0)
        self.headBytesMax = headBytesMax
        self.fieldsMax = fieldsMax
        self.targetBytesMax = targetBytesMax
        self.underscores = underscores
    }

    /// Empty lines before a request; one is what old clients send.
    static let emptyLinesMax = 2
    static let http2Preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// - Parameters:
    ///   - bytes: begin with the request.
    ///   - resume: 0 at first, and then as the last call of the same request left it, so that a
    ///     head that comes byte by byte is not read from its start each time.
    ///   - table: has room for `fieldsMax`. What stands in it is good when the verdict is
    ///     `complete`.
    public func parse(
        _ bytes: UnsafeRawBufferPointer, resumingAt resume: inout Int,
        into table: borrowing HTTPHeadTable
    ) -> Verdict {
        precondition(table.fields.count >= fieldsMax)
        let bounded = UnsafeRawBufferPointer(rebasing: bytes.prefix(headBytesMax))
        var cursor = HTTPHeadCursor(bounded)
        if bounded.first == UInt8(ascii: "P"), let verdict = Self.preface(bounded) {
            return verdict
        }
        if cursor.emptyLines(max: Self.emptyLinesMax),
            HTTPHeadProgress.isWorthReading(bounded, start: cursor.place, resume: &resume)
        {
            var line = HTTPRequestLine()
            if read(&cursor, &line, table) { return .complete(line) }
            resume = bounded.count
        }
        if let fault = cursor.fault { return .malformed(fault) }
        return bytes.count >= headBytesMax ? .malformed(.headTooLong) : .incomplete
    }

    /// Nil = it is not HTTP/2, whatever follows.
    private static func preface(_ bytes: UnsafeRawBufferPointer) -> Verdict? {
        let text = http2Preface
        let count = min(bytes.count, text.utf8CodeUnitCount)
        for place in 0..<count where bytes[place] != text.utf8Start[place] { return nil }
        return count == text.utf8CodeUnitCount ? .http2Preface : .incomplete
    }

    // MARK: - The head

    private func read(
        _ cursor: inout HTTPHeadCursor, _ line: inout HTTPRequestLine,
        _ table: borrowing HTTPHeadTable
    ) -> Bool {
        guard Self.method(&cursor, &line),
            cursor.target(&line, bytesMax: targetBytesMax),
            cursor.version(&line.version),
            cursor.lineEnd(otherwise: .badVersion)
        else { return false }
        var notes = HTTPFieldNotes()
        var count = 0
        while true {
            guard cursor.place < cursor.bytes.count else { return false }
            if cursor.bytes[cursor.place] == HTTPByte.carriageReturn {
                guard cursor.lineEnd(otherwise: .badFieldName) else { return false }
                line.fieldCount = UInt16(count)
                return conclude(&cursor, &line, notes)
            }
            var field = HTTPField(name: .empty, value: .empty, known: .none)
            var hasUnderscore = false
            guard count < fieldsMax else { return cursor.fail(.tooManyFields) }
            guard cursor.field(&field, &hasUnderscore) else { return false }
            if hasUnderscore, underscores != .allow {
                if underscores == .reject { return cursor.fail(.underscore) }
                continue
            }
            if let fault = notes.note(field, isRequest: true, in: cursor.bytes) {
                return cursor.fail(fault)
            }
            table.fields[count] = field
            count += 1
        }
    }

    @inline(__always)
    private static func method(
        _ cursor: inout HTTPHeadCursor, _ line: inout HTTPRequestLine
    ) -> Bool {
        let bytes = cursor.bytes
        let start = cursor.place
        while cursor.place < bytes.count, HTTPByte.token.contains(bytes[cursor.place]) {
            cursor.place += 1
        }
        guard cursor.place < bytes.count else { return false }
        guard cursor.place > start else { return cursor.fail(.notHTTP) }
        guard bytes[cursor.place] == HTTPByte.space else { return cursor.fail(.badMethod) }
        line.methodName = HTTPSpan(start..<cursor.place)
        line.method = HTTPMethod(UnsafeRawBufferPointer(rebasing: bytes[start..<cursor.place]))
        cursor.place += 1
        return true
    }

    /// What only the whole head can tell.
    private func conclude(
        _ cursor: inout HTTPHeadCursor, _ line: inout HTTPRequestLine, _ notes: HTTPFieldNotes
    ) -> Bool {
        if let fault = Self.hostFault(cursor.bytes, &line, notes.host) {
            return cursor.fail(fault)
        }
        if let fault = notes.framingFault(line.version) { return cursor.fail(fault) }
        line.headBytes = UInt32(cursor.place)
        line.framing = notes.framing ?? .none
        line.connection = notes.connection
        line.keepsAlive = notes.keepsAlive(line.version)
        line.isUpgrade = notes.isUpgrade(line.version)
        // RFC 9110 section 10.1.1: of HTTP/1.0 it is ignored, and without content it says nothing.
        line.expectsContinue =
            notes.hasExpectation && line.version == .http11 && line.framing != .none
        return true
    }

    /// RFC 9112 sections 3.2 and 3.2.2. Where both name a host they name the same.
    private static func hostFault(
        _ bytes: UnsafeRawBufferPointer, _ line: inout HTTPRequestLine, _ host: HTTPSpan?
    ) -> HTTPFault? {
        guard let host else { return line.version == .http11 ? .missingHost : nil }
        guard let named = HTTPAuthority(bytes, host.range) else { return .badHost }
        guard !line.authority.isEmpty else {
            line.authority = host
            return nil
        }
        guard let authority = HTTPAuthority(bytes, line.authority.range) else { return .badTarget }
        let defaultPort: UInt16? =
            switch line.targetForm {
            case .absoluteHTTP: 80
            case .absoluteHTTPS: 443
            default: nil
            }
        // `CONNECT a:443` with `Host: a` is common, and says no other host.
        let port = line.targetForm == .authority ? authority.port : defaultPort
        return authority.isEqual(named, defaultPort: port, in: bytes) ? nil : .conflictingHosts
    }
}
