import Primitives

@testable import Admin
@testable import Control

/// What anybody on the host may send to the admin server, under libFuzzer. However a request is cut
/// up, it is decided once and not again; what is decided is answered in HTTP, and nothing that was
/// sent gets into the answer's head. A broken promise traps, which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAdminRequest(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeRawBufferPointer(start: data, count: count))
    let whole = RequestHead.parse(bytes)
    // Of all places to cut, those after lines matter, and some more.
    let cuts = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") || $0 % 61 == 0 }
    for cut in cuts {
        let part = RequestHead.parse(bytes[..<cut])
        precondition(part == .needMore || part == whole, "\(part) and then \(whole)")
    }
    switch whole {
    case .needMore:
        precondition(bytes.count < RequestHead.bytesMax)
        precondition(pages.answer(bytes, local: nil) == nil)
    case .match, .fault: check(pages.answer(bytes, local: nil))
    }
    return 0
}

private func check(_ answer: [UInt8]?) {
    guard let answer else { preconditionFailure("what is decided is answered") }
    precondition(answer.starts(with: Array("HTTP/1.1 ".utf8)))
    let text = String(decoding: answer, as: UTF8.self)
    guard let end = text.firstRange(of: "\r\n\r\n") else { preconditionFailure("no head") }
    let names = text[..<end.lowerBound].split(separator: "\r\n").dropFirst().map {
        String($0.prefix { $0 != ":" })
    }
    precondition(names.allSatisfy(known.contains), "\(names)")
}

private let known: Set<String> = [
    "Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options", "Allow",
    "Connection",
]

private let pages = Pages(
    hosts: HostRule(address: .ip(.loopbackIPv4, port: 19_000)), state: { .live },
    snapshot: {
        Snapshot(
            version: "1", state: .live, uptimeMilliseconds: 1, workerCount: 1, connectionsMax: 1,
            totals: .init(), listeners: [], clusters: [], settings: [])
    }, names: { nil }, checks: { nil })
