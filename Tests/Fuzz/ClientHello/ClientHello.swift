import Wire

/// What anybody may send to a TLS listener, under libFuzzer: read however it is cut, names that are
/// within the message, and the same answer when the same message comes in other records. A broken
/// promise traps, which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzClientHello(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    let whole = Outcome(bytes)
    // Of all places to cut, the heads matter, and some more.
    for cut in 0..<count where cut < 64 || cut % 37 == 0 {
        let part = Outcome(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
        precondition(part == .needMore || part == whole, "a verdict is final")
    }
    if case .match(let message, _, _) = whole {
        let records = message.flatMap { [22, 3, 1, 0, 1, $0] as [UInt8] }
        records.withUnsafeBytes { precondition(Outcome($0) == whole, "records do not matter") }
    }
    return 0
}

private enum Outcome: Equatable {
    case needMore
    case match(message: [UInt8], name: [UInt8]?, protocols: [[UInt8]])
    case notTLS
    case malformed(ClientHelloFault)

    init(_ bytes: UnsafeRawBufferPointer) {
        let parser = ClientHelloParser()
        self = withUnsafeTemporaryAllocation(byteCount: parser.bytesMax, alignment: 1) { scratch in
            switch parser.parse(bytes, scratch: scratch) {
            case .needMore: return .needMore
            case .notTLS: return .notTLS
            case .malformed(let fault): return .malformed(fault)
            case .match(let hello):
                let protocols = hello.protocols.map(Array.init)
                precondition(protocols.allSatisfy { !$0.isEmpty })
                let name = hello.serverName.map(Array.init)
                precondition(name.map { 1...255 ~= $0.count } ?? true)
                let text = HelloFingerprint(hello).ja4Text
                precondition(text.summary.utf8.count == 10 && text.raw.utf8.allSatisfy { $0 < 128 })
                return .match(message: Array(hello.message), name: name, protocols: protocols)
            }
        }
    }
}
