import Wire

/// Heads of HTTP/1 under libFuzzer, as requests and as responses. However a head is cut up, it is
/// decided once, in the same way as in one piece; and a request that is taken, written anew as it
/// is for an endpoint, is read there as the same one. A broken promise traps, which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTPHead(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    let whole = request(bytes)
    let answer = response(bytes)
    // Behind empty lines.
    let start = bytes.prefix { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }.count
    let isWhole = bytes.indices.dropFirst(start).dropLast(3).contains {
        bytes[$0..<($0 + 4)].elementsEqual("\r\n\r\n".utf8)
    }
    // Of all places to cut, those after lines matter, and some more.
    for cut in bytes.indices where bytes[cut] == UInt8(ascii: "\n") || cut % 61 == 0 {
        check(request(bytes, cut: cut), whole, isWhole: isWhole)
        check(response(bytes, cut: cut), answer, isWhole: isWhole)
    }
    return 0
}

private nonisolated(unsafe) let table = HTTPHeadTable(fieldsMax: 100)
private nonisolated(unsafe) let again = HTTPHeadTable(fieldsMax: 100)
private nonisolated(unsafe) let memory = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 128 << 10, alignment: 1)

private enum Verdict: Equatable {
    case incomplete, http2
    case malformed(HTTPFault)
    case request(HTTPMethod, BodyFraming, headBytes: UInt32, fields: UInt16, keepsAlive: Bool)
    case response(UInt16, BodyFraming, headBytes: UInt32, fields: UInt16, keepsAlive: Bool)
}

/// A head that is wrong may be told by another of its faults when it comes in pieces, and only when
/// all of it is there.
private func check(_ pieces: Verdict, _ whole: Verdict, isWhole: Bool) {
    if case .malformed = whole {
        if case .malformed = pieces { return }
        if case .incomplete = pieces, !isWhole { return }
    }
    precondition(pieces == whole, "\(pieces) in pieces, \(whole) at once")
}

private func request(_ bytes: UnsafeRawBufferPointer, cut: Int? = nil) -> Verdict {
    let parser = HTTPRequestParser()
    var resume = 0
    if let cut {
        let part = UnsafeRawBufferPointer(rebasing: bytes[..<cut])
        let first = verdict(parser.parse(part, resumingAt: &resume, into: table))
        if first != .incomplete { return first }
    }
    let outcome = parser.parse(bytes, resumingAt: &resume, into: table)
    if case .complete(let line) = outcome { checkRewritten(line, bytes) }
    return verdict(outcome)
}

private func verdict(_ outcome: HTTPRequestParser.Verdict) -> Verdict {
    switch outcome {
    case .incomplete: .incomplete
    case .http2Preface: .http2
    case .malformed(let fault): .malformed(fault)
    case .complete(let line):
        .request(
            line.method, line.framing, headBytes: line.headBytes, fields: line.fieldCount,
            keepsAlive: line.keepsAlive)
    }
}

private func response(_ bytes: UnsafeRawBufferPointer, cut: Int? = nil) -> Verdict {
    let parser = HTTPResponseParser()
    var resume = 0
    if let cut {
        let part = UnsafeRawBufferPointer(rebasing: bytes[..<cut])
        let first = verdict(
            parser.parse(part, answering: .get, resumingAt: &resume, into: table))
        if first != .incomplete { return first }
    }
    return verdict(parser.parse(bytes, answering: .get, resumingAt: &resume, into: table))
}

private func verdict(_ outcome: HTTPResponseParser.Verdict) -> Verdict {
    switch outcome {
    case .incomplete: .incomplete
    case .malformed(let fault): .malformed(fault)
    case .complete(let line):
        .response(
            line.status, line.framing, headBytes: line.headBytes, fields: line.fieldCount,
            keepsAlive: line.keepsAlive)
    }
}

/// All fields are kept, so that those that say how long the content is are the same ones.
private func checkRewritten(_ line: HTTPRequestLine, _ bytes: UnsafeRawBufferPointer) {
    guard line.targetForm == .origin else { return }
    var writer = HTTPHeadWriter(memory)
    let path = HTTPPath.normalize(
        line.path.bytes(in: bytes), into: memory, escapedSlashes: .unescapeAndForward,
        mergesSlashes: true)
    let target: [UInt8]
    switch path {
    case .unchanged: target = Array(line.path.bytes(in: bytes))
    case .changed(let count), .redirect(let count): target = Array(memory[..<count])
    case .malformed: return
    }
    precondition(target.first == UInt8(ascii: "/"))
    target.withUnsafeBytes {
        writer.requestLine(
            method: line.methodName.bytes(in: bytes), path: $0, query: line.query?.bytes(in: bytes))
    }
    for field in table.fields[..<Int(line.fieldCount)] { writer.field(field, of: bytes) }
    writer.end()
    guard let written = writer.written else { preconditionFailure("there is room") }
    var resume = 0
    let parser = HTTPRequestParser(headBytesMax: 120 << 10, targetBytesMax: 100 << 10)
    switch parser.parse(written, resumingAt: &resume, into: again) {
    case .complete(let other):
        // What a client of HTTP/1.0 may leave out is the only difference.
        precondition(other.method == line.method && other.framing == line.framing)
        precondition(other.fieldCount == line.fieldCount && Int(other.headBytes) == written.count)
        precondition(other.path.bytes(in: written).elementsEqual(target))
    case .malformed(.missingHost) where line.version == .http10: break
    case let other: preconditionFailure("\(line) became \(other)")
    }
}
