/// Reads the head of an HTTP/1 response (RFC 9112), as strictly as requests are read: what comes
/// of an endpoint may be what a client made it send. Keeps nothing between calls and
/// allocates nothing.
///
/// A verdict other than `incomplete` is final: more bytes never change it.
public struct HTTPResponseParser: Hashable, Sendable {
    public enum Verdict: BitwiseCopyable {
        case incomplete
        case complete(HTTPStatusLine)
        case malformed(HTTPFault)
    }

    public let headBytesMax: Int
    public let fieldsMax: Int

    public init(headBytesMax: Int = 60 << 10, fieldsMax: Int = 100) {
        precondition(headBytesMax > 0 && 0...Int(UInt16.max) ~= fieldsMax)
        self.headBytesMax = headBytesMax
        self.fieldsMax = fieldsMax
    }

    /// - Parameters:
    ///   - bytes: begin with the response.
    ///   - method: of the request that it answers; it decides whether there is content.
    ///   - resume: 0 at first, and then as the last call of the same response left it.
    ///   - table: has room for `fieldsMax`. What stands in it is good when the verdict is
    ///     `complete`.
    public func parse(
        _ bytes: UnsafeRawBufferPointer, answering method: HTTPMethod,
        resumingAt resume: inout Int, into table: borrowing HTTPHeadTable
    ) -> Verdict {
        precondition(table.fields.count >= fieldsMax)
        let bounded = UnsafeRawBufferPointer(rebasing: bytes.prefix(headBytesMax))
        var cursor = HTTPHeadCursor(bounded)
        if HTTPHeadProgress.isWorthReading(bounded, start: 0, resume: &resume) {
            var line = HTTPStatusLine()
            if read(&cursor, &line, method, table) { return .complete(line) }
            resume = bounded.count
        }
        if let fault = cursor.fault { return .malformed(fault) }
        return bytes.count >= headBytesMax ? .malformed(.headTooLong) : .incomplete
    }

    private func read(
        _ cursor: inout HTTPHeadCursor, _ line: inout HTTPStatusLine, _ method: HTTPMethod,
        _ table: borrowing HTTPHeadTable
    ) -> Bool {
        guard cursor.version(&line.version), Self.status(&cursor, &line) else { return false }
        var notes = HTTPFieldNotes()
        var count = 0
        while true {
            guard cursor.place < cursor.bytes.count else { return false }
            if cursor.bytes[cursor.place] == HTTPByte.carriageReturn {
                guard cursor.lineEnd(otherwise: .badFieldName) else { return false }
                line.fieldCount = UInt16(count)
                return Self.conclude(&cursor, &line, method, notes)
            }
            var field = HTTPField(name: .empty, value: .empty, known: .none)
            var hasUnderscore = false
            guard count < fieldsMax else { return cursor.fail(.tooManyFields) }
            guard cursor.field(&field, &hasUnderscore) else { return false }
            if let fault = notes.note(field, isRequest: false, in: cursor.bytes) {
                return cursor.fail(fault)
            }
            table.fields[count] = field
            count += 1
        }
    }

    /// Space, three digits, and a reason behind another space. Some servers leave out that space
    /// where they have no reason, which can be read in one way only.
    private static func status(
        _ cursor: inout HTTPHeadCursor, _ line: inout HTTPStatusLine
    ) -> Bool {
        for offset in 0..<4 {
            guard cursor.place < cursor.bytes.count else { return false }
            let byte = cursor.bytes[cursor.place]
            let isRight = offset == 0 ? byte == HTTPByte.space : HTTPByte.isDigit(byte)
            guard isRight else { return cursor.fail(offset == 0 ? .badVersion : .badStatus) }
            if offset > 0 { line.status = line.status * 10 + UInt16(byte - 0x30) }
            cursor.place += 1
        }
        guard 100...599 ~= line.status else { return cursor.fail(.badStatus) }
        guard cursor.place < cursor.bytes.count else { return false }
        guard cursor.bytes[cursor.place] == HTTPByte.space else {
            return cursor.lineEnd(otherwise: .badStatus)
        }
        return cursor.value(&line.reason)
    }

    /// RFC 9112 section 6.3.
    private static func conclude(
        _ cursor: inout HTTPHeadCursor, _ line: inout HTTPStatusLine, _ method: HTTPMethod,
        _ notes: HTTPFieldNotes
    ) -> Bool {
        if let fault = notes.framingFault(line.version) { return cursor.fail(fault) }
        line.headBytes = UInt32(cursor.place)
        line.connection = notes.connection
        line.keepsAlive = notes.keepsAlive(line.version)
        let isEmpty = line.status < 200 || line.status == 204
        if isEmpty {
            // RFC 9112 section 6.1 and RFC 9110 section 8.6 forbid both fields. Whoever sends them
            // may send content too, which must not be taken for the next response.
            if notes.framing != nil, notes.framing != .length(0) {
                if line.status < 200 { return cursor.fail(.badTransferEncoding) }
                line.keepsAlive = false
            }
        } else if method == .connect, line.status < 300 {
            line.isTunnel = true
            line.keepsAlive = false
        } else if method != .head, line.status != 304 {
            line.framing = notes.framing ?? .untilClose
            if line.framing == .untilClose { line.keepsAlive = false }
        }
        return true
    }
}
