import CLinux

/// `--name value` pairs of the command line, each with a default: the harness is the only caller,
/// so a wrong one ends the program with a sentence.
struct Arguments {
    private var values: [String: String] = [:]

    init(_ words: ArraySlice<String>, known: Set<String>) {
        var words = words
        while let name = words.popFirst() {
            guard name.hasPrefix("--"), known.contains(String(name.dropFirst(2))) else {
                fail("unknown option \(name); known: \(known.sorted().joined(separator: ", "))")
            }
            guard let value = words.popFirst() else { fail("\(name) needs a value") }
            values[String(name.dropFirst(2))] = value
        }
    }

    func text(_ name: String, default fallback: String) -> String {
        values[name] ?? fallback
    }

    func number(_ name: String, default fallback: Int) -> Int {
        guard let text = values[name] else { return fallback }
        guard let number = Int(text), number >= 0 else { fail("--\(name) \(text) is no number") }
        return number
    }

    /// Nil when it was not given.
    func port(_ name: String) -> UInt16? {
        guard let text = values[name] else { return nil }
        guard let port = UInt16(text), port > 0 else { fail("--\(name) \(text) is no port") }
        return port
    }
}

/// Ends the program with one sentence for whoever runs it.
func fail(_ sentence: String) -> Never {
    var line = "apus-bench: \(sentence)\n"
    line.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
    _exit(2)
}

/// Steps of a run that `tools/bench` takes together with the program, so that what it reads of the
/// proxy stands exactly around the measured work: a line is printed, a line is awaited.
struct Steps {
    let isStepped: Bool

    func announce(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { _ = write(1, $0.baseAddress, $0.count) }
        guard isStepped else { return }
        var byte: UInt8 = 0
        while read(0, &byte, 1) == 1, byte != UInt8(ascii: "\n") {}
    }
}
