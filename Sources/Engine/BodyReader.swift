import Wire

/// Walks over a body as it passes, to find its end (RFC 9112 section 6). It copies nothing.
enum BodyReader: BitwiseCopyable {
    /// So many bytes are to come.
    case length(UInt64)
    case chunked(ChunkedReader)
    /// The end of the stream is its end.
    case untilClose

    /// Nil where nothing follows the head.
    init?(_ framing: BodyFraming) {
        switch framing {
        case .none, .length(0): return nil
        case .length(let count): self = .length(count)
        case .chunked: self = .chunked(ChunkedReader())
        case .untilClose: self = .untilClose
        }
    }

    enum Outcome: BitwiseCopyable {
        /// All of the bytes are the body's, and more is to come.
        case more
        /// The body ends after so many bytes.
        case ended(Int)
        case malformed
    }

    mutating func read(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        switch self {
        case .length(let left):
            guard UInt64(bytes.count) < left else { return .ended(Int(left)) }
            self = .length(left - UInt64(bytes.count))
            return .more
        case .chunked(var reader):
            let outcome = reader.read(bytes)
            self = .chunked(reader)
            switch outcome {
            case .more: return .more
            case .ended(let count): return .ended(count)
            case .malformed: return .malformed
            }
        case .untilClose:
            return .more
        }
    }
}
