import CLibYAML

/// The comments of a piece of YAML, waiting to be written beside what they were written beside.
/// libyaml drops them; they are what stands after ` #` outside of every scalar. A value of whoever
/// writes the text anew.
package struct Comments {
    package struct Comment: Hashable, Sendable {
        /// With its `#`.
        package let text: String
        package let place: SourcePlace
    }

    /// Alone on their lines, by the line of the value that comes next.
    private var above: [Int: [Comment]] = [:]
    /// At the end of a line, by that line.
    private var beside: [Int: Comment] = [:]
    /// After the last value.
    private var below: [Comment] = []
    /// Values of other files may be written among those of this.
    private let file: String

    package init() { file = "" }

    /// - Parameters:
    ///   - text: that was composed without an error.
    ///   - documents: what was composed of it.
    package init(of text: String, file: String, linesBefore: Int, documents: [Node]) {
        self.file = file
        guard text.utf8.contains(UInt8(ascii: "#")) else { return }
        var lines: Set<Int> = []
        for document in documents {
            document.visit { node in
                for item in node.items { lines.insert(item.place.line) }
                for entry in node.entries { lines.insert(entry.keyPlace.line) }
            }
        }
        let valueLines = lines.sorted()
        var next = 0
        for found in Self.scan(text, file: file, linesBefore: linesBefore) {
            let line = found.comment.place.line
            guard found.isAlone else {
                beside[line] = found.comment
                continue
            }
            while next < valueLines.count, valueLines[next] <= line { next += 1 }
            if next < valueLines.count {
                above[valueLines[next], default: []].append(found.comment)
            } else {
                below.append(found.comment)
            }
        }
    }

    /// Those that nobody has taken, in order.
    package var rest: [Comment] {
        (above.values.flatMap { $0 } + beside.values + below).sorted {
            ($0.place.line, $0.place.column) < ($1.place.line, $1.place.column)
        }
    }

    mutating func takeAbove(_ place: SourcePlace) -> [Comment] {
        place.file == file ? above.removeValue(forKey: place.line) ?? [] : []
    }

    mutating func takeBeside(_ place: SourcePlace) -> Comment? {
        place.file == file ? beside.removeValue(forKey: place.line) : nil
    }

    package mutating func takeBelow() -> [Comment] {
        defer { below = [] }
        return below
    }

    // MARK: - Finding them

    private static func scan(
        _ text: String, file: String, linesBefore: Int
    ) -> [(comment: Comment, isAlone: Bool)] {
        var text = text
        return text.withUTF8 { bytes in
            let scalars = scalarRanges(bytes)
            var found: [(Comment, Bool)] = []
            var nextScalar = 0
            var line = 1
            var lineStart = 0
            var index = 0
            while index < bytes.count {
                while nextScalar < scalars.count, scalars[nextScalar].upperBound <= index {
                    nextScalar += 1
                }
                let isInScalar = nextScalar < scalars.count && scalars[nextScalar].contains(index)
                if bytes[index] == UInt8(ascii: "\n") {
                    line += 1
                    lineStart = index + 1
                } else if bytes[index] == UInt8(ascii: "#"), !isInScalar,
                    index == lineStart || isBlank(bytes[index - 1])
                {
                    var end = index
                    while end < bytes.count, !isBreak(bytes[end]) { end += 1 }
                    let before = bytes[lineStart..<index]
                    let comment = Comment(
                        text: String(decoding: bytes[index..<end], as: UTF8.self),
                        place: SourcePlace(
                            file: file, line: linesBefore + line,
                            column: String(decoding: before, as: UTF8.self).unicodeScalars.count
                                + 1))
                    found.append((comment, before.allSatisfy(isBlank)))
                    index = end
                    continue
                }
                index += 1
            }
            return found
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func isBreak(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// The bytes of every scalar, where a `#` is content. A block scalar's header, which a comment
    /// may follow, is not among them.
    private static func scalarRanges(_ bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { fatalError("out of memory") }
        defer { yaml_parser_delete(&parser) }
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        guard let start = bytes.baseAddress else { return [] }
        yaml_parser_set_input_string(&parser, start, bytes.count)
        let lineStarts = lineStarts(bytes)
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(&parser, &event) == 1 else { return ranges }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { return ranges }
            guard event.type == YAML_SCALAR_EVENT else { continue }
            var first = offset(event.start_mark, lineStarts, bytes)
            let end = offset(event.end_mark, lineStarts, bytes)
            let style = event.data.scalar.style
            if style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE {
                while first < end, bytes[first] != UInt8(ascii: "\n") { first += 1 }
            }
            if first < end { ranges.append(first..<end) }
        }
    }

    private static func lineStarts(_ bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
        [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    /// libyaml's marks count characters, and lines as YAML 1.1 breaks them; one that lies on no
    /// line that `\n` begins counts as the end, which takes a comment for content and leaves it
    /// out rather than content for a comment.
    private static func offset(
        _ mark: yaml_mark_t, _ lineStarts: [Int], _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        guard Int(mark.line) < lineStarts.count else { return bytes.count }
        var index = lineStarts[Int(mark.line)]
        var column = 0
        while index < bytes.count, column < Int(mark.column) {
            index += 1
            // The other bytes of a character in UTF-8.
            while index < bytes.count, bytes[index] & 0xc0 == 0x80 { index += 1 }
            column += 1
        }
        return index
    }
}
