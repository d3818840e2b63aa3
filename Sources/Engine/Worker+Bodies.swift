import HTTP2
import Kernel
import Primitives
import Wire

/// Bodies between two ends that know differently where one ends: by its length, by chunks, or by
/// the end of a stream of HTTP/2.
extension Worker where R: ~Copyable {
    /// What became of a piece of chunked content.
    enum ContentPassed {
        case more, ended, malformed
        /// The end that it goes to has gone.
        case lost
    }

    /// What is in the chunks of a piece goes on without their framing; trailers are kept with the
    /// end that sent them.
    /// - Parameter piece: of the first buffer that waits, from its start.
    mutating func passContent(
        _ piece: UnsafeRawBufferPointer, _ reader: inout ChunkedReader, from index: UInt32,
        to other: UInt32, _ way: Way
    ) -> ContentPassed {
        let generation = connections.generation(of: index)
        var place = 0
        while true {
            switch reader.next(piece, from: &place) {
            case .data(let range):
                let part = UnsafeRawBufferPointer(rebasing: piece[range])
                guard put(part, other, way), isExchanging(index, generation) else { return .lost }
            case .trailerLine(let range, let field):
                guard isStream(other), field.known == .none else { continue }
                details[Int(index)].trailers += piece[range]
                details[Int(index)].trailers += [0x0d, 0x0a]
            case .needsMore:
                guard place < piece.count else {
                    drop(place, index, way)
                    return .more
                }
                // A trailer that is not whole: nobody has to be told of it (RFC 9110 section
                // 6.5.1).
                switch reader.read(UnsafeRawBufferPointer(rebasing: piece[place...])) {
                case .more: place = piece.count
                case .ended(let count): place += count
                case .malformed: return .malformed
                }
            case .ended:
                drop(place, index, way)
                return .ended
            case .malformed:
                return .malformed
            }
        }
    }

    /// A piece of content as one chunk.
    /// - Returns: false = the connection to the other end has ended.
    mutating func passAsChunk(
        _ piece: UnsafeRawBufferPointer, from index: UInt32, to other: UInt32, _ way: Way
    ) -> Bool {
        guard let desk = http else { fatalError("a head was read") }
        var writer = HTTPHeadWriter(desk.outgoing)
        writer.chunkSize(UInt64(piece.count))
        writer.append(piece)
        writer.append("\r\n")
        guard let chunk = writer.written else { fatalError("a buffer fits the desk") }
        drop(piece.count, index, way)
        return put(chunk, other, way)
    }

    /// All of a body has gone on: the end that it went to is told so.
    /// - Parameter trailers: lines `name: value` CR LF.
    mutating func endBody(
        _ index: UInt32, _ way: Way, _ writing: BodyWriting, _ trailers: [UInt8]
    ) {
        if isStream(index) {
            guard let (session, stream) = line(of: index) else { return }
            trailers.withUnsafeBytes { session.end(stream, trailers: $0) }
            return noteOutput(peers[Int(index)].carrier)
        }
        guard writing == .chunks, let desk = http else { return }
        var writer = HTTPHeadWriter(desk.outgoing)
        writer.append("0\r\n")
        trailers.withUnsafeBytes { Self.writeTrailers($0, to: &writer) }
        writer.append("\r\n")
        guard let end = writer.written else { return }
        _ = put(end, index, way)
    }

    /// Fields that say something about a message or its way have no place behind it (RFC 9110
    /// section 6.5.1).
    private static func writeTrailers(
        _ lines: UnsafeRawBufferPointer, to writer: inout HTTPHeadWriter
    ) {
        var start = 0
        while let end = lines[start...].firstIndex(of: 0x0a) {
            let line = UnsafeRawBufferPointer(rebasing: lines[start...end])
            let name = line.prefix { $0 != UInt8(ascii: ":") }
            if KnownField(name: UnsafeRawBufferPointer(rebasing: name)) == .none {
                writer.append(line)
            }
            start = end + 1
        }
    }
}
