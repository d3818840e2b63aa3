import Primitives
import Wire

/// The PROXY protocol parser under libFuzzer: any bytes, cut anywhere, and whatever is accepted is
/// written anew in both versions and read back. A broken promise traps, which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxyHeader(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    let parser = ProxyHeaderParser(bytesMax: 1024)
    let verdict = verdictOfPrefixes(bytes, parser)
    if case .match(let header, let length) = verdict {
        precondition(length <= parser.bytesMax)
        precondition(header.tlvs.isEmpty || header.tlvs.upperBound == length)
        for hasChecksum in [false, true] {
            checkRoundTrip(header, bytes, .v2, hasChecksum)
        }
        checkRoundTrip(header, bytes, .v1, false)
    }
    return 0
}

/// The first verdict other than `needMore`, found by giving one byte more at a time; it must be
/// the verdict for what is longer too, of which a few lengths are tried.
private func verdictOfPrefixes(
    _ bytes: UnsafeRawBufferPointer, _ parser: ProxyHeaderParser
) -> ProxyHeaderParser.Verdict {
    var final = ProxyHeaderParser.Verdict.needMore
    var countFinal = bytes.count
    for count in 0...bytes.count where count <= countFinal + 8 || count == bytes.count {
        let prefix = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        let verdict = parser.parse(prefix)
        if final == .needMore {
            final = verdict
            if final != .needMore { countFinal = count }
            if case .match(_, let length) = verdict {
                precondition(length == count, "a header is recognised at its last byte")
            }
            if verdict == .needMore {
                precondition(count < parser.bytesMax, "a limit reached is told")
            }
        } else {
            precondition(verdict == final, "a verdict is final")
        }
    }
    return final
}

/// Writes what was read, reads it back, and compares all that this version can say.
private func checkRoundTrip(
    _ header: ProxyHeader, _ received: UnsafeRawBufferPointer, _ version: ProxyHeader.Version,
    _ hasChecksum: Bool
) {
    var buffer = [UInt8](
        repeating: 0xee, count: ProxyHeaderWriter.bytesMax(tlvBytes: header.tlvs.count))
    let written = buffer.withUnsafeMutableBytes {
        ProxyHeaderWriter(version: version, hasChecksum: hasChecksum).write(
            header, received: received.bytes, into: $0)
    }
    guard let written else { preconditionFailure("the buffer was large enough") }
    let verdict = ProxyHeaderParser(bytesMax: 4096).parse(buffer.span.bytes)
    guard case .match(let again, length: written) = verdict else {
        preconditionFailure("what is written is a header: \(verdict)")
    }
    let isTold = version == .v2 || header.transport == .stream && header.source != .unix
    precondition(again.source == (isTold ? header.source : .unspecified))
    precondition(again.destination == (isTold ? header.destination : .unspecified))
    precondition(again.transport == (isTold ? header.transport : .unspecified))
    guard version == .v2 else { return }
    precondition(again.command == header.command)
    let kept = fields(header, received)
    let handedOn = buffer.withUnsafeBytes { fields(again, $0) }
    precondition(kept == handedOn, "TLVs are handed on as they came")
}

/// Types and values of the TLVs that a proxy hands on.
private func fields(_ header: ProxyHeader, _ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
    var cursor = ProxyTLVs(header.tlvs)
    var found: [[UInt8]] = []
    while let tlv = cursor.next(in: bytes.bytes) {
        if tlv.type == ProxyTLV.crc32c || tlv.type == ProxyTLV.noop { continue }
        found.append([tlv.type] + bytes[tlv.value])
    }
    return found
}
