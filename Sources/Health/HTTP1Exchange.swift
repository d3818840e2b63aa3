import Routing

/// A request by HTTP/1.1, and the response judged as it comes. Owned by an attempt.
final class HTTP1Exchange: Exchange {
    private var output: [UInt8]
    private var reader: HTTPResponseReader
    private var expectation: HTTPExpectation

    init(_ probe: HealthCheckPlan.HTTPProbe, host: String) {
        output = Self.request(probe, host: host)
        reader = HTTPResponseReader(method: probe.method)
        expectation = HTTPExpectation(probe)
    }

    static let userAgent = "apus-health-check"

    private static func request(_ probe: HealthCheckPlan.HTTPProbe, host: String) -> [UInt8] {
        var head = """
            \(probe.method) \(target(probe.path)) HTTP/1.1\r
            Host: \(host)\r
            User-Agent: \(userAgent)\r
            Connection: close\r\n
            """
        // Methods that usually have a body say so when there is none (RFC 9110 §8.6).
        if !probe.body.isEmpty || probe.method == "POST" || probe.method == "PUT" {
            head += "Content-Length: \(probe.body.count)\r\n"
        }
        return Array((head + "\r\n").utf8) + probe.body
    }

    /// A path as written, with what cannot stand in a request line percent-encoded
    /// (RFC 3986 §2.1).
    static func target(_ path: String) -> String {
        let rooted = path.hasPrefix("/") ? path : "/" + path
        guard rooted.utf8.contains(where: { !(0x21...0x7e).contains($0) }) else { return rooted }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in rooted.utf8 {
            if (0x21...0x7e).contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: - Exchange

    func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> CheckOutcome? {
        let wasJudged = reader.status != nil
        var pieces: [UnsafeRawBufferPointer] = []
        var fault: HTTPFault?
        do throws(HTTPFault) {
            try reader.read(bytes) { pieces.append($0) }
        } catch {
            fault = error
        }
        var outcome: CheckOutcome?
        if !wasJudged, let status = reader.status { outcome = expectation.on(status: status) }
        for piece in pieces where outcome == nil { outcome = expectation.on(body: piece) }
        if let outcome { return outcome }
        if let fault { return .failed(.malformed(fault)) }
        return reader.isComplete ? expectation.end() : nil
    }

    func end() -> CheckOutcome {
        do throws(HTTPFault) {
            try reader.end()
            return expectation.end()
        } catch {
            return .failed(.closedEarly)
        }
    }
}
