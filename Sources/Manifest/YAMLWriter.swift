/// Writes nodes as YAML that every reader takes for the same: block style, fields in their order,
/// and in quotes whatever YAML 1.1 or 1.2 could take for something else than a string. What is
/// read back is the node. A value of whoever writes one text.
package struct YAMLWriter {
    /// Longer keys than libyaml's 1,024 characters need a `?` before them; so do none of objects.
    private static let keyBytesMax = 512

    package private(set) var text = ""
    /// Those that the written values do not take remain.
    package private(set) var comments: Comments

    package init(comments: Comments = Comments()) {
        self.comments = comments
    }

    /// One document, without the line that begins it.
    package mutating func write(_ document: Node) {
        switch document.value {
        case .mapping(let entries) where !entries.isEmpty: write(entries, indentation: "")
        case .sequence(let items) where !items.isEmpty: write(items, indentation: "")
        default: text += inline(document) + "\n"
        }
    }

    package mutating func beginDocument() { text += "---\n" }

    /// What stood after the last value.
    package mutating func writeCommentsBelow() {
        for comment in comments.takeBelow() { text += comment.text + "\n" }
    }

    // MARK: - Collections

    /// - Parameter isFirstInline: the first field stands on the line that was begun, after `- `.
    private mutating func write(
        _ entries: [Node.Entry], indentation: String, isFirstInline: Bool = false
    ) {
        for (number, entry) in entries.enumerated() {
            if number > 0 || !isFirstInline {
                writeCommentsAbove(entry.keyPlace, indentation)
                text += indentation
            }
            let key = Scalar(entry.key, isText: true).written
            if key.utf8.count > Self.keyBytesMax {
                text += "? " + key + "\n" + indentation
            } else {
                text += key
            }
            text += ":"
            write(entry.value, after: entry.keyPlace, indentation: indentation)
        }
    }

    private mutating func write(_ items: [Node], indentation: String) {
        for item in items {
            writeCommentsAbove(item.place, indentation)
            text += indentation + "-"
            if case .mapping(let entries) = item.value, !entries.isEmpty {
                text += " "
                write(entries, indentation: indentation + "  ", isFirstInline: true)
            } else if case .sequence(let inner) = item.value, !inner.isEmpty {
                text += "\n"
                write(inner, indentation: indentation + "  ")
            } else {
                write(item, after: item.place, indentation: indentation)
            }
        }
    }

    /// The value of a field or item whose beginning, from `place`, has been written.
    private mutating func write(_ value: Node, after place: SourcePlace, indentation: String) {
        let inner = indentation + "  "
        switch value.value {
        case .mapping(let entries) where !entries.isEmpty:
            endLine(place)
            write(entries, indentation: inner)
        case .sequence(let items) where !items.isEmpty:
            endLine(place)
            // Lists stand under their field, as `kubectl get -o yaml` writes them.
            write(items, indentation: indentation)
        case .scalar(let scalar) where scalar.isBlock:
            text += scalar.text.utf8.last == UInt8(ascii: "\n") ? " |" : " |-"
            endLine(place)
            let lines = scalar.text.split(separator: "\n", omittingEmptySubsequences: false)
            let isEnded = scalar.text.utf8.last == UInt8(ascii: "\n")
            for line in isEnded ? lines.dropLast() : lines[...] {
                text += line.isEmpty ? "\n" : inner + line + "\n"
            }
        default:
            let shown = inline(value)
            if !shown.isEmpty { text += " " + shown }
            endLine(place)
        }
    }

    private func inline(_ node: Node) -> String {
        switch node.value {
        case .mapping: "{}"
        case .sequence: "[]"
        case .scalar(let scalar): scalar.written
        }
    }

    // MARK: - Comments

    private mutating func writeCommentsAbove(_ place: SourcePlace, _ indentation: String) {
        for comment in comments.takeAbove(place) { text += indentation + comment.text + "\n" }
    }

    private mutating func endLine(_ place: SourcePlace) {
        if let comment = comments.takeBeside(place) { text += " " + comment.text }
        text += "\n"
    }
}

extension Scalar {
    /// As it stands on a line of YAML.
    var written: String { kind != .text || isPlain ? text : quoted }

    /// Lines that a block (`|`) keeps as they are, whoever reads it.
    var isBlock: Bool {
        guard kind == .text, text.utf8.contains(UInt8(ascii: "\n")) else { return false }
        guard !text.hasSuffix("\n\n"), text != "\n" else { return false }
        if let first = text.utf8.first, first == UInt8(ascii: "\n") || first == 0x20 {
            return false
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.allSatisfy({ $0.utf8.last != 0x20 }) else { return false }
        return text.unicodeScalars.allSatisfy { $0 == "\n" || Self.isPrintable($0) }
    }

    /// Whether no reader can take the text, without quotes, for anything but itself. Stricter than
    /// this program's own reader: YAML 1.1 has dates and base 60, YAML 1.2 other numbers.
    private var isPlain: Bool {
        guard let first = text.utf8.first, text.utf8.count <= 1_000 else { return false }
        guard Scalar(text, isText: false).kind == .text else { return false }
        guard text.utf8.allSatisfy(Self.isPlain) else { return false }
        guard !text.hasSuffix(" "), !text.hasSuffix(":") else { return false }
        guard !text.contains(": "), !text.contains(" #") else { return false }
        if first.isDigit { return isDottedQuad || isDuration }
        return first | 0x20 >= UInt8(ascii: "a") && first | 0x20 <= UInt8(ascii: "z")
            || first == UInt8(ascii: "/")
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: " ./_-:+=()@#;".utf8.contains(byte)
        }
    }

    /// `10.0.0.1`, `10.0.0.0/8`: no number, since it has more than one dot.
    private var isDottedQuad: Bool {
        text.utf8.count { $0 == UInt8(ascii: ".") } == 3
            && text.utf8.allSatisfy {
                $0.isDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/")
            }
    }

    private var isDuration: Bool { DurationText.milliseconds(text) != nil }

    private var quoted: String {
        var written = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": written += "\\\""
            case "\\": written += "\\\\"
            case "\n": written += "\\n"
            case "\r": written += "\\r"
            case "\t": written += "\\t"
            case _ where Self.isPrintable(scalar): written.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value < 0x1_0000 ? 4 : 8
                written += (width == 4 ? "\\u" : "\\U")
                written += String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return written + "\""
    }

    /// YAML 1.1 section 4.1.1, without what breaks lines and without the byte order mark.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2028, 0x2029, 0xfeff: false
        case 0x20...0x7e, 0xa0...0xd7ff, 0xe000...0xfffd, 0x1_0000...: true
        default: false
        }
    }
}
