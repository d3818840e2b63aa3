import Primitives
import Wire

/// The parser of DNS messages under libFuzzer: any bytes. What it accepts keeps the bounds that
/// the resolver relies on, and every name can be written and read back. A broken promise traps,
/// which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDNSMessage(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    do throws(DNSFault) {
        let message = try DNSMessage(bytes.bytes)
        for question in message.questions { check(question.name, question.type) }
        let records = message.answers + message.authorities + message.additionals
        precondition(records.count * 11 <= count, "each record takes eleven bytes and more")
        for record in records {
            check(record.owner, record.type)
            precondition(record.ttl >> 31 == 0)
            switch record.data {
            case .alias(let name), .service(_, _, _, let name): check(name, record.type)
            case .address(let address): precondition(address.isIPv4 == (record.type == .a))
            case .authority(let seconds): precondition(seconds >> 31 == 0)
            case .other: break
            }
        }
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}

private func check(_ name: DNSName, _ type: DNSMessage.RecordType) {
    precondition(name.wire.count <= DNSName.bytesMax && name.wire.last == 0)
    precondition(name.labelCount <= 127)
    precondition(name.description.utf8.allSatisfy { (0x21...0x7e).contains($0) })
    let query = DNSQuery(id: 7, name: name, type: type)
    let bytes = query.bytes
    do throws(DNSFault) {
        let again = try DNSMessage(bytes.span.bytes)
        precondition(again.id == 7 && !again.isResponse && again.hasExtension)
        precondition(again.questions.count == 1)
        precondition(again.questions[0].name == name && again.questions[0].type == type)
    } catch {
        preconditionFailure("what is written is a message: \(error)")
    }
}
