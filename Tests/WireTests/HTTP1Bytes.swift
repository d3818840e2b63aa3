@testable import Wire

/// What verdicts come to, as text, so that they can be compared.
enum HTTP1Bytes {
    static func request(
        _ text: String, cuts: [Int] = [], parser: HTTPRequestParser = HTTPRequestParser()
    ) -> String {
        request(Array(text.utf8), cuts: cuts, parser: parser)
    }

    /// - Parameter cuts: how many bytes were there at earlier calls.
    static func request(
        _ bytes: [UInt8], cuts: [Int] = [], parser: HTTPRequestParser = HTTPRequestParser()
    ) -> String {
        let table = HTTPHeadTable(fieldsMax: parser.fieldsMax)
        var resume = 0
        for cut in cuts + [bytes.count] {
            let text = bytes[..<cut].withUnsafeBytes { raw -> String? in
                switch parser.parse(raw, resumingAt: &resume, into: table) {
                case .incomplete: nil
                case .http2Preface: "HTTP/2"
                case .malformed(let fault): fault.description
                case .complete(let line): describe(line, raw, table)
                }
            }
            if let text { return text }
        }
        return "more"
    }

    static func response(
        _ text: String, answering method: HTTPMethod = .get, cuts: [Int] = [],
        parser: HTTPResponseParser = HTTPResponseParser()
    ) -> String {
        let bytes = Array(text.utf8)
        let table = HTTPHeadTable(fieldsMax: parser.fieldsMax)
        var resume = 0
        for cut in cuts + [bytes.count] {
            let text = bytes[..<cut].withUnsafeBytes { raw -> String? in
                let verdict = parser.parse(
                    raw, answering: method, resumingAt: &resume, into: table)
                switch verdict {
                case .incomplete: return nil
                case .malformed(let fault): return fault.description
                case .complete(let line):
                    return "\(line.status) '\(string(line.reason, raw))' \(line.framing)"
                        + (line.keepsAlive ? " alive" : "") + (line.isTunnel ? " tunnel" : "")
                        + (line.isInterim ? " interim" : "") + (line.isSwitch ? " switch" : "")
                        + " \(line.headBytes)"
                }
            }
            if let text { return text }
        }
        return "more"
    }

    private static func describe(
        _ line: HTTPRequestLine, _ raw: UnsafeRawBufferPointer, _ table: borrowing HTTPHeadTable
    ) -> String {
        var text = "\(string(line.methodName, raw)) \(line.targetForm)"
        text += " \(string(line.authority, raw)) \(string(line.path, raw))"
        if let query = line.query { text += "?\(string(query, raw))" }
        text += " \(line.version) \(line.framing)"
        if line.keepsAlive { text += " alive" }
        if line.expectsContinue { text += " expects" }
        if line.isUpgrade { text += " upgrade" }
        for index in 0..<Int(line.fieldCount) {
            let field = table.fields[index]
            text += " [\(string(field.name, raw))=\(string(field.value, raw))]"
        }
        return text + " \(line.headBytes)"
    }

    static func string(_ span: HTTPSpan, _ raw: UnsafeRawBufferPointer) -> String {
        String(decoding: span.bytes(in: raw), as: UTF8.self)
    }

    /// A head whose only line besides `Host` is this.
    static func with(_ field: String, version: String = "1.1") -> String {
        "GET / HTTP/\(version)\r\nHost: a\r\n\(field)\r\n\r\n"
    }

    /// A head with another first line.
    static func line(_ line: String) -> String { "\(line)\r\nHost: a\r\n\r\n" }
}
