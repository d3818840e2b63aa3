/// Cuts an expression into tokens, one at a time. The parser owns it. Pure.
struct ExpressionScanner {
    enum Token: Hashable {
        case identifier(String)
        case integer(Int64)
        case real(Double)
        case text(String)
        /// Operators and punctuation, and the word `in`.
        case symbol(String)
        case end
    }

    private let bytes: [UInt8]
    private var place = 0

    init(_ source: String) {
        bytes = Array(source.utf8)
    }

    /// The next token and where it begins.
    mutating func next() throws(ExpressionError) -> (token: Token, offset: Int) {
        skipSpace()
        let start = place
        guard let byte = peek() else { return (.end, start) }
        if byte.isDigit || (byte == UInt8(ascii: ".") && peek(1)?.isDigit == true) {
            return (try number(), start)
        }
        if isQuote(byte) { return (.text(try text(isRaw: false)), start) }
        if (byte | 0x20) == UInt8(ascii: "r"), let next = peek(1), isQuote(next) {
            place += 1
            return (.text(try text(isRaw: true)), start)
        }
        if isLetter(byte) {
            while let byte = peek(), isLetter(byte) || byte.isDigit { place += 1 }
            if let quote = peek(), isQuote(quote) {
                throw error(start, "only r may stand before a string: bytes are not read")
            }
            let word = String(decoding: bytes[start..<place], as: UTF8.self)
            return (word == "in" ? .symbol(word) : .identifier(word), start)
        }
        return (.symbol(try symbol()), start)
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        place + distance < bytes.count ? bytes[place + distance] : nil
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return (lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z"))
            || byte == UInt8(ascii: "_")
    }

    private func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"")
    }

    private func error(_ offset: Int, _ message: String) -> ExpressionError {
        ExpressionError(offset: offset, message: message)
    }

    private mutating func skipSpace() {
        while let byte = peek() {
            if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "/") {
                while let byte = peek(), byte != UInt8(ascii: "\n") { place += 1 }
            } else if " \t\n\r\u{c}".utf8.contains(byte) {
                place += 1
            } else {
                return
            }
        }
    }

    private static let symbols = [
        "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".",
        ",", "(", ")", "[", "]", "{", "}",
    ]

    private mutating func symbol() throws(ExpressionError) -> String {
        for symbol in Self.symbols where bytes[place...].starts(with: symbol.utf8) {
            place += symbol.utf8.count
            return symbol
        }
        throw error(place, "no expression has this character here")
    }

    // MARK: Numbers

    private mutating func number() throws(ExpressionError) -> Token {
        let start = place
        var isReal = false
        if peek() == UInt8(ascii: "0"), let mark = peek(1), mark | 0x20 == UInt8(ascii: "x") {
            place += 2
            while peek()?.digitValue != nil { place += 1 }
            let digits = String(decoding: bytes[(start + 2)..<place], as: UTF8.self)
            try endNumber(start)
            guard let value = Int64(digits, radix: 16) else {
                throw error(start, "no integer of 64 bits")
            }
            return .integer(value)
        }
        skipDigits()
        if peek() == UInt8(ascii: "."), peek(1)?.isDigit == true {
            isReal = true
            place += 1
            skipDigits()
        }
        if let mark = peek(), mark | 0x20 == UInt8(ascii: "e") {
            isReal = true
            place += 1
            if let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                place += 1
            }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        try endNumber(start)
        if isReal, let value = Double(text), value.isFinite { return .real(value) }
        if !isReal, let value = Int64(text) { return .integer(value) }
        throw error(start, "no number of 64 bits")
    }

    private mutating func skipDigits() {
        while peek()?.isDigit == true { place += 1 }
    }

    private func endNumber(_ start: Int) throws(ExpressionError) {
        guard let byte = peek(), isLetter(byte) else { return }
        throw error(start, "a number ends with a letter; unsigned ones are not read")
    }

    // MARK: Strings

    private mutating func text(isRaw: Bool) throws(ExpressionError) -> String {
        let start = place
        let quote = bytes[place]
        let isLong = peek(1) == quote && peek(2) == quote
        place += isLong ? 3 : 1
        var result: [UInt8] = []
        while let byte = peek() {
            if byte == quote, !isLong || (peek(1) == quote && peek(2) == quote) {
                place += isLong ? 3 : 1
                return String(decoding: result, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r"), !isLong { break }
            place += 1
            if byte == UInt8(ascii: "\\"), !isRaw {
                try escape(into: &result)
            } else {
                result.append(byte)
            }
        }
        throw error(start, "the string does not end")
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0c,
        UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
        UInt8(ascii: "v"): 0x0b, UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "'"): UInt8(ascii: "'"), UInt8(ascii: "\""): UInt8(ascii: "\""),
        UInt8(ascii: "`"): UInt8(ascii: "`"), UInt8(ascii: "?"): UInt8(ascii: "?"),
    ]

    /// What follows a backslash: one of the letters above, or a code point as `\xHH`, `\uHHHH`,
    /// `\UHHHHHHHH` or `\OOO`.
    private mutating func escape(into result: inout [UInt8]) throws(ExpressionError) {
        let start = place - 1
        guard let byte = peek() else { throw error(start, "the string does not end") }
        if let plain = Self.escapes[byte] {
            place += 1
            result.append(plain)
            return
        }
        let (count, radix): (Int, UInt32)
        switch byte {
        case UInt8(ascii: "x"), UInt8(ascii: "X"): (count, radix) = (2, 16)
        case UInt8(ascii: "u"): (count, radix) = (4, 16)
        case UInt8(ascii: "U"): (count, radix) = (8, 16)
        case UInt8(ascii: "0")...UInt8(ascii: "3"): (count, radix) = (3, 8)
        default: throw error(start, "no escape begins so")
        }
        if radix == 16 { place += 1 }
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = peek()?.digitValue, digit < radix else {
                throw error(start, "the escape has too few digits")
            }
            value = value &* radix &+ UInt32(digit)
            place += 1
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw error(start, "the escape names no character")
        }
        result.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    }
}
