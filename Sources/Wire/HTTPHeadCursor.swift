/// Reads a head line by line. A step that answers false has come to the end of the bytes, or has
/// left its fault. Every step judges bytes in their order, so that what is wrong is the same
/// however the head is cut.
struct HTTPHeadCursor {
    let bytes: UnsafeRawBufferPointer
    var place: Int
    private(set) var fault: HTTPFault?

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, at place: Int = 0) {
        self.bytes = bytes
        self.place = place
    }

    @inline(__always)
    mutating func fail(_ fault: HTTPFault) -> Bool {
        self.fault = fault
        return false
    }

    /// CR and LF.
    /// - Parameter other: the fault when something else stands there.
    @inline(__always)
    mutating func lineEnd(otherwise other: HTTPFault) -> Bool {
        guard place < bytes.count else { return false }
        switch bytes[place] {
        case HTTPByte.carriageReturn:
            guard place + 1 < bytes.count else { return false }
            guard bytes[place + 1] == HTTPByte.lineFeed else { return fail(.bareCarriageReturn) }
            place += 2
            return true
        case HTTPByte.lineFeed: return fail(.bareLineFeed)
        default: return fail(other)
        }
    }

    /// RFC 9112 section 2.2: a server passes over an empty line before a request; old clients send
    /// one behind their content.
    mutating func emptyLines(max: Int) -> Bool {
        var count = 0
        while place < bytes.count {
            guard bytes[place] == HTTPByte.carriageReturn || bytes[place] == HTTPByte.lineFeed
            else { return true }
            guard count < max else { return fail(.emptyLines) }
            guard lineEnd(otherwise: .notHTTP) else { return false }
            count += 1
        }
        return false
    }

    /// `HTTP/1.0` or `HTTP/1.1`.
    mutating func version(_ version: inout HTTPVersion) -> Bool {
        let text: StaticString = "HTTP/"
        for offset in 0..<8 {
            guard place + offset < bytes.count else { return false }
            let byte = bytes[place + offset]
            let isRight =
                switch offset {
                case 5, 7: HTTPByte.isDigit(byte)
                case 6: byte == UInt8(ascii: ".")
                default: byte == text.utf8Start[offset]
                }
            guard isRight else { return fail(.badVersion) }
        }
        guard bytes[place + 5] == UInt8(ascii: "1"), bytes[place + 7] <= UInt8(ascii: "1")
        else { return fail(.versionNotSupported) }
        version = bytes[place + 7] == UInt8(ascii: "1") ? .http11 : .http10
        place += 8
        return true
    }

    /// One line of the field section, which is not the empty one at its end.
    @inline(__always)
    mutating func field(_ field: inout HTTPField, _ hasUnderscore: inout Bool) -> Bool {
        let start = place
        var underscore = false
        while place < bytes.count, HTTPByte.token.contains(bytes[place]) {
            underscore = underscore || bytes[place] == UInt8(ascii: "_")
            place += 1
        }
        guard place < bytes.count else { return false }
        guard bytes[place] == UInt8(ascii: ":"), place > start else { return nameFault(start) }
        field.name = HTTPSpan(start..<place)
        hasUnderscore = underscore
        field.known = KnownField(name: UnsafeRawBufferPointer(rebasing: bytes[start..<place]))
        place += 1
        return value(&field.value)
    }

    private mutating func nameFault(_ start: Int) -> Bool {
        switch bytes[place] {
        case HTTPByte.space, HTTPByte.tab:
            fail(place == start ? .obsoleteFolding : .whitespaceBeforeColon)
        case HTTPByte.lineFeed: fail(.bareLineFeed)
        default: fail(.badFieldName)
        }
    }

    /// The rest of a line: any bytes but controls, tabs excepted. Those above 0x7f are opaque
    /// (RFC 9110 section 5.5).
    @inline(__always)
    mutating func value(_ span: inout HTTPSpan) -> Bool {
        while place < bytes.count, HTTPByte.isBlank(bytes[place]) { place += 1 }
        let start = place
        while true {
            place = HTTPByte.firstControl(bytes, from: place)
            guard place < bytes.count else { return false }
            guard bytes[place] == HTTPByte.tab else { break }
            place += 1
        }
        var end = place
        while end > start, HTTPByte.isBlank(bytes[end - 1]) { end -= 1 }
        span = HTTPSpan(start..<end)
        return lineEnd(otherwise: .badFieldValue)
    }
}

/// Whether there can be anything new to say of a head that was looked at before and was not whole.
enum HTTPHeadProgress {
    /// - Parameter resume: how many bytes were looked at, 0 = none; becomes the count when there is
    ///   nothing new.
    /// - Returns: whether to read the head from its start: it is whole, its first line has become
    ///   whole, or a line in it ends wrongly. So each byte of it is read three times at most, and
    ///   looked at for a line feed twice.
    static func isWorthReading(
        _ bytes: UnsafeRawBufferPointer, start: Int, resume: inout Int
    ) -> Bool {
        guard resume > 0 else { return true }
        let seen = min(resume, bytes.count)
        var from = seen
        var isFirst = true
        while let place = HTTPByte.firstLineFeed(bytes, from: from) {
            guard place > 0, bytes[place - 1] == HTTPByte.carriageReturn else { return true }
            if place - 2 >= start, bytes[place - 2] == HTTPByte.lineFeed { return true }
            if isFirst, place > start {
                isFirst = false
                if HTTPByte.firstLineFeed(bytes, from: start) == place { return true }
            }
            from = place + 1
        }
        resume = bytes.count
        return false
    }
}
