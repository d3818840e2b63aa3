import Wire

/// Chunked content under libFuzzer: whether it is passed over or taken apart, at once or in pieces,
/// it ends at the same place, or is refused. A broken promise traps, which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTPChunked(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    let whole = passOver(bytes, pieces: max(count, 1))
    for pieces in [1, 7, 61] {
        let outcome = passOver(bytes, pieces: pieces)
        precondition(outcome == whole, "\(outcome) in pieces of \(pieces), \(whole) at once")
    }
    let (taken, dataBytes) = takeApart(bytes)
    precondition(taken == whole, "\(taken) taken apart, \(whole) passed over")
    precondition(dataBytes <= count)
    return 0
}

private enum Outcome: Equatable {
    case more
    case ended(at: Int)
    case malformed
}

private func passOver(_ bytes: UnsafeRawBufferPointer, pieces: Int) -> Outcome {
    var reader = ChunkedReader()
    var place = 0
    while place < bytes.count {
        let end = min(place + pieces, bytes.count)
        switch reader.read(UnsafeRawBufferPointer(rebasing: bytes[place..<end])) {
        case .more: place = end
        case .ended(let count): return .ended(at: place + count)
        case .malformed: return .malformed
        }
    }
    return .more
}

private func takeApart(_ bytes: UnsafeRawBufferPointer) -> (Outcome, dataBytes: Int) {
    var reader = ChunkedReader()
    var place = 0
    var dataBytes = 0
    while true {
        let start = place
        switch reader.next(bytes, from: &place) {
        case .data(let range):
            precondition(range.lowerBound >= start && range.upperBound == place)
            dataBytes += range.count
        case .trailerLine(let range, let field):
            precondition(range.lowerBound >= start && range.upperBound < place)
            precondition(!field.name.isEmpty)
        case .needsMore: return (.more, dataBytes)
        case .ended: return (.ended(at: place), dataBytes)
        case .malformed: return (.malformed, dataBytes)
        }
    }
}
