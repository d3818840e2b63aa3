import Primitives
import Routing

@testable import Health

/// What an endpoint answers to a check, under libFuzzer: the first byte says what was asked, the
/// second how the rest is cut into pieces. Every answer comes to an outcome, and to the same one
/// however it is cut; of several errors in HTTP/2 another one may come first. A broken promise
/// traps, which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHealthAnswer(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    guard bytes.count >= 2 else { return 0 }
    let answer = UnsafeRawBufferPointer(rebasing: bytes[2...])
    let kind = bytes[0]
    let whole = outcome(of: answer, to: kind, piece: max(answer.count, 1))
    let pieces = outcome(of: answer, to: kind, piece: Int(bytes[1]) + 1)
    let isHTTP2 = exchange(kind) is HTTP2Session
    precondition(
        isHTTP2 ? (whole == .passed) == (pieces == .passed) : whole == pieces,
        "\(whole) or \(pieces)")
    if case .failed(let failure) = whole { precondition(!failure.description.isEmpty) }
    return 0
}

private func outcome(
    of answer: UnsafeRawBufferPointer, to kind: UInt8, piece: Int
) -> CheckOutcome {
    let exchange = exchange(kind)
    _ = exchange.takeOutput()
    var place = 0
    while place < answer.count {
        let end = min(place + piece, answer.count)
        if let outcome = exchange.receive(.init(rebasing: answer[place..<end])) { return outcome }
        // What is said in return, such as to a PING, as the owner does.
        _ = exchange.takeOutput()
        if let outcome = exchange.sent() { return outcome }
        place = end
    }
    return exchange.end()
}

private func exchange(_ kind: UInt8) -> any Exchange {
    let plain = HealthCheckPlan.HTTPProbe(path: "/")
    let expecting = HealthCheckPlan.HTTPProbe(path: "/", expectedBody: Array("up".utf8))
    return switch kind % 6 {
    case 0: HTTP1Exchange(plain, host: "a")
    case 1: HTTP1Exchange(expecting, host: "a")
    case 2: HTTP1Exchange(.init(path: "/", method: "HEAD", statuses: [204]), host: "a")
    case 3: HTTP2Session(HTTP2Request(expecting, host: "a"), .http(HTTPExpectation(expecting)))
    case 4:
        HTTP2Session(
            HTTP2Request(healthOf: "s", host: "a", timeoutMilliseconds: 1_000),
            .grpc(GRPCAnswer()))
    default: StreamExchange(send: [1], expect: Array("up".utf8))
    }
}
