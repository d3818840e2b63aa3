import Primitives

/// Functions: CEL's own, its string extension's, and Kubernetes' `isIP`.
extension ExpressionEvaluation {
    mutating func call(
        _ function: ExpressionProgram.Function, _ first: Int, _ count: Int
    ) throws(Failure) -> Value {
        let receiver = try value(of: program.arguments[first])
        if function == .size { return try size(receiver) }
        guard case .text(let text) = receiver else { throw .noSuchOverload }
        try charge(bytes: text.utf8.count)
        switch function {
        case .duration:
            guard let duration = Self.nanoseconds(text) else { throw .notADuration }
            return .duration(duration)
        case .isIP: return .boolean(Self.isIP(text))
        case .lowerAscii: return .text(Self.mapped(text, from: "A", to: "Z"))
        case .upperAscii: return .text(Self.mapped(text, from: "a", to: "z"))
        case .contains, .startsWith, .endsWith, .matches:
            guard case .text(let part) = try value(of: program.arguments[first + 1]) else {
                throw .noSuchOverload
            }
            return try compare(function, text, part)
        case .split: return try split(text, first, count)
        case .substring: return try substring(text, first, count)
        case .size: throw .noSuchOverload
        }
    }

    private mutating func size(_ value: Value) throws(Failure) -> Value {
        switch value {
        case .text(let text):
            try charge(bytes: text.utf8.count)
            return .integer(Int64(text.unicodeScalars.count))
        case .nodes(let nodes): return .integer(Int64(nodes.count))
        case .list(let values): return .integer(Int64(values.count))
        case .entries(let entries):
            try charge(entries.count)
            return .integer(Int64(entries.count { !$0.value.isNull }))
        case .map(let pairs): return .integer(Int64(pairs.count))
        default: throw .noSuchOverload
        }
    }

    private mutating func compare(
        _ function: ExpressionProgram.Function, _ text: String, _ part: String
    ) throws(Failure) -> Value {
        switch function {
        case .startsWith:
            return .boolean(text.utf8.starts(with: part.utf8))
        case .endsWith:
            let skipped = text.utf8.count - part.utf8.count
            return .boolean(
                skipped >= 0 && text.utf8.dropFirst(skipped).elementsEqual(part.utf8))
        case .contains:
            // Compared place by place: at worst so many bytes.
            try charge(bytes: (text.utf8.count >> 4) * part.utf8.count)
            return .boolean(Self.contains(text, part))
        default:
            // What compiling costs, beside a term.
            try charge(100 + part.utf8.count)
            return try match(.text(text), Self.pattern(part))
        }
    }

    private static func pattern(_ text: String) throws(Failure) -> Pattern {
        do throws(PatternError) { return try Pattern(text) } catch { throw .notAPattern }
    }

    mutating func match(_ value: Value, _ pattern: Pattern) throws(Failure) -> Value {
        guard case .text(let text) = value else { throw .noSuchOverload }
        try charge(bytes: text.utf8.count)
        switch pattern.search(text) {
        case .found: return .boolean(true)
        case .absent: return .boolean(false)
        case .undecided:
            // It took as long as the whole evaluation may.
            throw .costsTooMuch
        }
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        Value.withBytes(text) { text in
            Value.withBytes(part) { part in
                guard let first = part.first else { return true }
                guard text.count >= part.count else { return false }
                for start in 0...(text.count - part.count) where text[start] == first {
                    if text[start..<(start + part.count)].elementsEqual(part) { return true }
                }
                return false
            }
        }
    }

    private static func mapped(
        _ text: String, from first: Unicode.Scalar, to last: Unicode.Scalar
    ) -> String {
        let range = UInt8(ascii: first)...UInt8(ascii: last)
        return String(
            decoding: text.utf8.map { range.contains($0) ? $0 ^ 0x20 : $0 }, as: UTF8.self)
    }

    // MARK: Parts of strings

    private mutating func integer(_ place: Int) throws(Failure) -> Int {
        guard case .integer(let number) = try value(of: program.arguments[place]) else {
            throw .noSuchOverload
        }
        return Int(number)
    }

    /// `text.split(separator, limit)`: at most `limit` parts, the last with the rest; all of them
    /// where it is negative or not there.
    private mutating func split(
        _ text: String, _ first: Int, _ count: Int
    ) throws(Failure) -> Value {
        guard case .text(let separator) = try value(of: program.arguments[first + 1]) else {
            throw .noSuchOverload
        }
        let limit = count > 2 ? try integer(first + 2) : -1
        if limit == 0 { return .list([]) }
        try charge(text.utf8.count)
        let bytes = Array(text.utf8)
        let mark = Array(separator.utf8)
        var parts: [Value] = []
        var start = 0
        var place = 0
        while limit < 0 || parts.count < limit - 1 {
            if mark.isEmpty {
                // Every code point by itself.
                place = start + 1
                while place < bytes.count, bytes[place] & 0xc0 == 0x80 { place += 1 }
                guard place < bytes.count else { break }
            } else {
                while place + mark.count <= bytes.count,
                    !bytes[place...].starts(with: mark)
                {
                    place += 1
                }
                guard place + mark.count <= bytes.count else { break }
            }
            parts.append(.text(String(decoding: bytes[start..<place], as: UTF8.self)))
            place += mark.count
            start = place
        }
        if mark.isEmpty, bytes.isEmpty { return .list([]) }
        parts.append(.text(String(decoding: bytes[start...], as: UTF8.self)))
        return .list(parts)
    }

    /// `text.substring(start, end)` in code points.
    private mutating func substring(
        _ text: String, _ first: Int, _ count: Int
    ) throws(Failure) -> Value {
        let scalars = text.unicodeScalars
        let start = try integer(first + 1)
        let end = count > 2 ? try integer(first + 2) : scalars.count
        guard start >= 0, start <= end, end <= scalars.count else { throw .indexOutOfBounds }
        let from = scalars.index(scalars.startIndex, offsetBy: start)
        let to = scalars.index(from, offsetBy: end - start)
        return .text(String(scalars[from..<to]))
    }

    // MARK: Formats

    /// As Kubernetes: without a zone, and no IPv4 address in the clothes of IPv6.
    private static func isIP(_ text: String) -> Bool {
        guard let address = IPAddress(text) else { return false }
        return address.isIPv4 || address.unmapped == address
    }

    /// As Go's `time.ParseDuration`: `1h30m`, `1.5s`, `-2ms`, `0`.
    static func nanoseconds(_ text: String) -> Int64? {
        Value.withBytes(text) { nanoseconds($0) }
    }

    private static func nanoseconds(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        var rest = bytes[...]
        if isNegative || bytes.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.elementsEqual(CollectionOfOne(UInt8(ascii: "0"))) { return 0 }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            guard let part = durationPart(&rest) else { return nil }
            let (sum, isOverflow) = total.addingReportingOverflow(part)
            guard !isOverflow else { return nil }
            total = sum
        }
        return isNegative ? -total : total
    }

    /// A number with its unit, taken from the front.
    private static func durationPart(_ rest: inout Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        let whole = rest.prefix { $0.isDigit }
        rest.removeFirst(whole.count)
        var fraction = whole.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = rest.prefix { $0.isDigit }
            rest.removeFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let unit = rest.prefix { !$0.isDigit && $0 != UInt8(ascii: ".") }
        rest.removeFirst(unit.count)
        guard let scale = nanoseconds(unit: unit) else { return nil }
        var number: Int64 = 0
        for digit in whole {
            let (tens, isBeyond) = number.multipliedReportingOverflow(by: 10)
            let (sum, isOverflow) = tens.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !isBeyond, !isOverflow else { return nil }
            number = sum
        }
        let (product, isOverflow) = number.multipliedReportingOverflow(by: scale)
        guard !isOverflow else { return nil }
        // Digits past a nanosecond's are cut off, as Go does.
        var parts: Int64 = 0
        var step = scale
        for digit in fraction {
            step /= 10
            parts += Int64(digit - UInt8(ascii: "0")) * step
        }
        let (sum, isBeyond) = product.addingReportingOverflow(parts)
        return isBeyond ? nil : sum
    }

    private static let durationUnits: [(name: [UInt8], nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("\u{b5}s", 1_000), ("\u{3bc}s", 1_000), ("ms", 1_000_000),
        ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ].map { (Array($0.0.utf8), $0.1) }

    private static func nanoseconds(unit: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        durationUnits.first { $0.name.elementsEqual(unit) }?.nanoseconds
    }
}
