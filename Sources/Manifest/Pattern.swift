import CPCRE2

/// What is wrong with the text of a pattern. A value.
package struct PatternError: Error, Hashable, Sendable {
    /// In bytes from the start of the pattern.
    package let offset: Int
    package let message: String
}

/// A regular expression as Kubernetes' schemas and CEL's `matches` write them. Those are RE2's;
/// PCRE2 reads all of that syntax and searches as fast, and a limit gives what RE2's automaton
/// would: no text makes a match run away. Shared by whoever holds it; immutable, so any thread may
/// match, and its memory goes with the last holder.
package struct Pattern: Sendable {
    /// What a search tells. `undecided` when the pattern backtracks past the limit on this text.
    package enum Answer: Sendable { case found, absent, undecided }

    /// Backtracking steps of one match. Patterns of CRDs take tens on the texts that they are
    /// meant for; so many take 3 ms compiled, and more in the interpreter.
    private static let stepsMax: UInt32 = 1_000_000

    /// Frees the compiled code with its last user. Nothing in it changes after `init`: a match
    /// keeps its state in memory of its own (pcre2api(3), "Multithreading").
    private final class Code: @unchecked Sendable {
        let pattern: apus_pattern

        init(_ pattern: apus_pattern) { self.pattern = pattern }

        deinit {
            var pattern = pattern
            apus_pattern_free(&pattern)
        }
    }

    private let code: Code
    package let text: String

    package init(_ text: String) throws(PatternError) {
        var pattern = apus_pattern()
        var offset = 0
        let number = Self.withBytes(text) {
            apus_pattern_compile(&pattern, $0.baseAddress, $0.count, Self.stepsMax, &offset)
        }
        guard number == 0 else {
            throw PatternError(offset: min(offset, text.utf8.count), message: Self.message(number))
        }
        self.code = Code(pattern)
        self.text = text
    }

    /// Whether `text` has the pattern anywhere in it; where that cannot be told, it counts as not.
    package func matches(_ text: String) -> Bool { search(text) == .found }

    package func search(_ text: String) -> Answer {
        let result = withUnsafePointer(to: code.pattern) { pattern in
            Self.withBytes(text) { apus_pattern_matches(pattern, $0.baseAddress, $0.count) }
        }
        switch result {
        case CInt(APUS_PATTERN_YES): return .found
        case CInt(APUS_PATTERN_NO): return .absent
        default: return .undecided
        }
    }

    private static func message(_ number: CInt) -> String {
        // pcre2api(3): no message is longer than 256 bytes.
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = apus_pattern_message(number, &buffer, buffer.count)
        return count == 0 ? "error \(number)" : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// PCRE2 takes no null pointer, which an empty buffer's base need not be.
    private static func withBytes<Result>(
        _ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        var text = text
        return text.withUTF8 { bytes in
            if bytes.baseAddress != nil { return body(bytes) }
            var nothing: UInt8 = 0
            return withUnsafePointer(to: &nothing) {
                body(UnsafeBufferPointer(start: $0, count: 0))
            }
        }
    }
}
