import CLibYAML

/// Makes nodes of a file's text. It takes libyaml's events itself, because everything that an
/// operator can write must be answered with a place: duplicate keys (all of them), nesting and size
/// beyond the limits, aliases that multiply. One file each, used once, on the configuration thread.
package struct Composer {
    /// Far beyond what Kubernetes objects need; bounds every recursion over a node.
    package static let depthMax = 64
    /// An etcd object has 1.5 MB at most; a file holds many. Read, it takes 25 times its size of
    /// memory.
    package static let fileBytesMax = 16 << 20
    /// Nodes of a file, each alias counted as large as what it stands for.
    package static let nodesMax = 4_000_000

    /// A collection whose end was not yet seen.
    private struct Frame {
        let place: SourcePlace
        let isMapping: Bool
        let anchor: String?
        var items: [Node] = []
        var entries: [Node.Entry] = []
        /// The key that waits for its value; `isKeyRefused` when it was none.
        var key: (text: String, place: SourcePlace)?
        var isKeyRefused = false
        /// Of the keys, once there are many of them.
        var lines: [String: Int] = [:]
        var size = 1
        var height = 1

        /// Most mappings have few keys, which are looked through faster than hashed.
        private static let keysFew = 16

        mutating func append(_ entry: Node.Entry) {
            entries.append(entry)
            if !lines.isEmpty { lines[entry.key] = entry.keyPlace.line }
        }

        /// The line that has the key already.
        mutating func line(ofKey key: String) -> Int? {
            guard entries.count > Self.keysFew else {
                return entries.first { $0.key == key }?.keyPlace.line
            }
            if lines.isEmpty {
                for entry in entries { lines[entry.key] = entry.keyPlace.line }
            }
            return lines[key]
        }
    }

    /// What an alias stands for.
    private struct Anchored {
        let node: Node
        let size: Int
        let height: Int
    }

    private enum Stop: Error { case refused }

    private let file: String
    private let linesBefore: Int
    private let log: FindingLog
    private var frames: [Frame] = []
    private var anchors: [String: Anchored] = [:]
    private var documents: [Node] = []
    private var nodeCount = 0

    /// - Parameter linesBefore: lines of the file before the text that will be given.
    package init(file: String, linesBefore: Int = 0, log: FindingLog) {
        self.file = file
        self.linesBefore = linesBefore
        self.log = log
    }

    /// The documents of `text` that are not empty. After an error of syntax: those before it.
    package mutating func documents(of text: String) -> [Node] {
        var text = text
        guard text.utf8.count <= Self.fileBytesMax else {
            syntaxError(
                at: place(0, 0),
                "the file has more than \(Self.fileBytesMax >> 20) MiB; split it into several")
            return []
        }
        text.withUTF8 { bytes in
            var parser = yaml_parser_t()
            guard yaml_parser_initialize(&parser) == 1 else { fatalError("out of memory") }
            defer { yaml_parser_delete(&parser) }
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            // libyaml asserts that there is an input, which an empty buffer's base need not be.
            var nothing: UInt8 = 0
            withUnsafePointer(to: &nothing) { none in
                yaml_parser_set_input_string(&parser, bytes.baseAddress ?? none, bytes.count)
                readEvents(&parser, bytes)
            }
        }
        return documents
    }

    private mutating func readEvents(
        _ parser: inout yaml_parser_t, _ bytes: UnsafeBufferPointer<UInt8>
    ) {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(&parser, &event) == 1 else {
                return report(parser, bytes)
            }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { return }
            do {
                try take(event)
            } catch {
                // What stopped it is in the log; the rest of the file has no meaning.
                return
            }
        }
    }

    private mutating func take(_ event: yaml_event_t) throws(Stop) {
        let place = place(Int(event.start_mark.line), Int(event.start_mark.column))
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            anchors.removeAll()
        case YAML_ALIAS_EVENT:
            let name = Self.text(event.data.alias.anchor) ?? ""
            guard let target = anchors[name] else {
                syntaxError(at: place, "no anchor &\(name) comes before this alias")
                throw .refused
            }
            try add(target.node, size: target.size, height: target.height, anchor: nil)
        case YAML_SCALAR_EVENT:
            let scalar = try scalar(event, at: place)
            try add(
                Node(place: place, value: .scalar(scalar)), size: 1, height: 0,
                anchor: Self.text(event.data.scalar.anchor))
        case YAML_SEQUENCE_START_EVENT:
            try push(
                Frame(
                    place: place, isMapping: false,
                    anchor: Self.text(event.data.sequence_start.anchor)))
        case YAML_MAPPING_START_EVENT:
            try push(
                Frame(
                    place: place, isMapping: true,
                    anchor: Self.text(event.data.mapping_start.anchor)))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            let frame = frames.removeLast()
            let value: Node.Value =
                frame.isMapping ? .mapping(frame.entries) : .sequence(frame.items)
            try add(
                Node(place: frame.place, value: value), size: frame.size, height: frame.height,
                anchor: frame.anchor)
        default:
            break
        }
    }

    private mutating func push(_ frame: Frame) throws(Stop) {
        try checkDepth(1, at: frame.place)
        frames.append(frame)
    }

    private func checkDepth(_ height: Int, at place: SourcePlace) throws(Stop) {
        guard frames.count + height > Self.depthMax else { return }
        syntaxError(at: place, "nested deeper than \(Self.depthMax) levels; no object needs that")
        throw .refused
    }

    /// Puts a finished node where it belongs: into the innermost collection, or as a document.
    private mutating func add(
        _ node: Node, size: Int, height: Int, anchor: String?
    ) throws(Stop) {
        nodeCount += 1
        if let anchor { anchors[anchor] = Anchored(node: node, size: size, height: height) }
        guard !frames.isEmpty else {
            if !node.isNull { documents.append(node) }
            return
        }
        try checkDepth(height, at: node.place)
        let top = frames.count - 1
        frames[top].size += size
        frames[top].height = max(frames[top].height, height + 1)
        guard frames[top].size <= Self.nodesMax, nodeCount <= Self.nodesMax else {
            syntaxError(
                at: node.place,
                "more than \(Self.nodesMax) values with the aliases written out; split the file")
            throw .refused
        }
        if frames[top].isMapping {
            addToMapping(node, top)
        } else {
            frames[top].items.append(node)
        }
    }

    private mutating func addToMapping(_ node: Node, _ top: Int) {
        if let key = frames[top].key {
            frames[top].key = nil
            frames[top].append(
                Node.Entry(key: key.text, keyPlace: key.place, value: node))
        } else if frames[top].isKeyRefused {
            frames[top].isKeyRefused = false
        } else if case .scalar(let scalar) = node.value {
            takeKey(scalar, at: node.place, top)
        } else {
            frames[top].isKeyRefused = true
            syntaxError(at: node.place, "a field's name must be a string, not \(node.article)")
        }
    }

    private mutating func takeKey(_ scalar: Scalar, at place: SourcePlace, _ top: Int) {
        if scalar.text == "<<", scalar.kind == .text {
            frames[top].isKeyRefused = true
            syntaxError(at: place, "merge keys (<<) are not read; write the fields out")
        } else if let line = frames[top].line(ofKey: scalar.text) {
            frames[top].isKeyRefused = true
            syntaxError(
                at: place,
                "the field \(scalar.excerpt) is already on line \(line); keep one of the two")
        } else {
            frames[top].key = (scalar.text, place)
        }
    }

    private func scalar(_ event: yaml_event_t, at place: SourcePlace) throws(Stop) -> Scalar {
        let data = event.data.scalar
        let bytes = UnsafeBufferPointer(start: data.value, count: data.length)
        // libyaml has checked that it is UTF-8.
        let text = String(decoding: bytes, as: UTF8.self)
        var isText = data.style != YAML_PLAIN_SCALAR_STYLE
        if let tag = Self.text(data.tag), tag != "!" {
            guard tag == "tag:yaml.org,2002:str" else {
                syntaxError(at: place, "the tag \(tag) is not read; write the value without it")
                throw .refused
            }
            isText = true
        }
        return Scalar(text, isText: isText || data.tag != nil)
    }

    private static func text(_ bytes: UnsafePointer<UInt8>?) -> String? {
        bytes.map { String(decodingCString: $0, as: UTF8.self) }
    }

    private func place(_ line: Int, _ column: Int) -> SourcePlace {
        SourcePlace(file: file, line: linesBefore + line + 1, column: column + 1)
    }

    private func syntaxError(at place: SourcePlace, _ message: String) {
        log.report(.error, .syntax, at: place, message)
    }

    private func report(_ parser: yaml_parser_t, _ bytes: UnsafeBufferPointer<UInt8>) {
        let problem = parser.problem.map { String(cString: $0) } ?? "unreadable"
        guard parser.error == YAML_READER_ERROR else {
            let mark = parser.problem_mark
            let context = parser.context.map { String(cString: $0) + " " } ?? ""
            syntaxError(
                at: place(Int(mark.line), Int(mark.column)),
                "not YAML: \(context)\(problem)")
            return
        }
        // The reader runs ahead of the scanner's mark and gives a byte offset instead.
        let before = bytes[..<min(parser.problem_offset, bytes.count)]
        let line = before.count { $0 == UInt8(ascii: "\n") }
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        syntaxError(at: place(line, before.count - start), "not YAML: \(problem)")
    }
}
