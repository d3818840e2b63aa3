import Manifest

/// The documents of a YAML file, as text, found without a parser: a line that begins with `---`
/// separates documents wherever it stands, even in a block scalar or a quoted text (YAML 1.1
/// section 4.2, YAML 1.2 section 9.1.2, where such lines are forbidden within documents).
struct DocumentStream {
    struct Part {
        let text: Substring
        /// Lines of the file before it.
        let linesBefore: Int
    }

    /// In the order of the file; together they are all of it.
    private(set) var parts: [Part] = []

    /// Files that are too large, and those with directives (`%YAML`) or explicit ends (`...`), stay
    /// whole: they are for the parser to judge.
    init(_ text: String) {
        guard text.utf8.count <= Composer.fileBytesMax else {
            parts = [Part(text: text[...], linesBefore: 0)]
            return
        }
        var start = text.utf8.startIndex
        var linesBefore = 0
        var lines = 0
        var line = start
        while line < text.utf8.endIndex {
            let rest = text.utf8[line...]
            if rest.first == UInt8(ascii: "%") || rest.starts(with: "...".utf8) {
                parts = [Part(text: text[...], linesBefore: 0)]
                return
            }
            if line > start, rest.starts(with: "---".utf8) {
                parts.append(Part(text: text[start..<line], linesBefore: linesBefore))
                start = line
                linesBefore = lines
            }
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { break }
            line = text.utf8.index(after: end)
            lines += 1
        }
        parts.append(Part(text: text[start...], linesBefore: linesBefore))
    }
}
