import Testing

@testable import Wire

@Suite struct HTTP1RequestTests {
    /// A head and the fault that it has.
    struct Refusal: Sendable, CustomTestStringConvertible {
        var head: String
        var fault: HTTPFault
        var testDescription: String { "\(fault): \(head.debugDescription)" }

        init(_ head: String, _ fault: HTTPFault) {
            (self.head, self.fault) = (head, fault)
        }
    }

    private typealias Bytes = HTTP1Bytes

    // MARK: - Refusals

    /// RFC 9112 sections 2 and 3.
    static let requestLines: [Refusal] = [
        .init("\u{16}\u{3}\u{1}", .notHTTP), .init(" GET / HTTP/1.1\r\n", .notHTTP),
        .init("\r\n\r\n\r\nGET", .emptyLines), .init("\nGET", .bareLineFeed),
        .init("\rGET", .bareCarriageReturn),
        .init(Bytes.line("GE(T / HTTP/1.1"), .badMethod), .init("GET\t/ HTTP/1.1", .badMethod),
        .init("GET\r\n", .badMethod),
        .init(Bytes.line("GET  / HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET a HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET * HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET a:80 HTTP/1.1"), .badTarget),
        .init(Bytes.line("CONNECT /a HTTP/1.1"), .badTarget),
        .init(Bytes.line("CONNECT a HTTP/1.1"), .badTarget),
        .init(Bytes.line("CONNECT a:65536 HTTP/1.1"), .badTarget),
        .init(Bytes.line("OPTIONS ** HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET /a#b HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET /?a#b HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET /a\\b HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET /\u{7f} HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET /\u{0} HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET /\u{e4} HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET /a\tb HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET ftp://a/ HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET http:/a HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET http:///a HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET http://u@a/ HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET http://a@/ HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET http://a!b/ HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET http://a:/ HTTP/1.1"), .badTarget),
        .init(Bytes.line("GET http://b/ HTTP/1.1"), .conflictingHosts),
        .init(Bytes.line("GET http://a:81/ HTTP/1.1"), .conflictingHosts),
        .init(Bytes.line("CONNECT b:80 HTTP/1.1"), .conflictingHosts),
        .init(Bytes.line("GET /"), .badVersion), .init(Bytes.line("GET / "), .badVersion),
        .init(Bytes.line("GET / http/1.1"), .badVersion),
        .init(Bytes.line("GET / HTTP/1.1 "), .badVersion),
        .init(Bytes.line("GET /  HTTP/1.1"), .badVersion),
        .init(Bytes.line("GET / HTTP/1,1"), .badVersion),
        .init(Bytes.line("GET / a HTTP/1.1"), .badVersion),
        .init(Bytes.line("GET / HTTP/1.10"), .badVersion),
        .init(Bytes.line("GET / HTTP/1.2"), .versionNotSupported),
        .init(Bytes.line("GET / HTTP/0.9"), .versionNotSupported),
        .init(Bytes.line("GET / HTTP/2.0"), .versionNotSupported),
        .init("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed), .init("GET /\n", .bareLineFeed),
        .init("GET / HTTP/1.1\rHost", .bareCarriageReturn),
        .init("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", .badTarget),
    ]

    /// RFC 9110 section 5, RFC 9112 section 5.
    static let fields: [Refusal] = [
        .init(Bytes.with("a b: c"), .whitespaceBeforeColon),
        .init(Bytes.with("Transfer-Encoding : chunked"), .whitespaceBeforeColon),
        .init(Bytes.with("Transfer-Encoding\t: chunked"), .whitespaceBeforeColon),
        .init(Bytes.with(" a: b"), .obsoleteFolding), .init(Bytes.with("\ta: b"), .obsoleteFolding),
        .init(Bytes.with("a: b\r\n c"), .obsoleteFolding),
        .init("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsoleteFolding),
        .init(Bytes.with(": a"), .badFieldName), .init(Bytes.with("a"), .badFieldName),
        .init(Bytes.with("a\u{e4}: b"), .badFieldName), .init(Bytes.with("a\0: b"), .badFieldName),
        .init(Bytes.with("\u{b}a: b"), .badFieldName), .init(Bytes.with("a_b: c"), .underscore),
        .init(Bytes.with("a: \0"), .badFieldValue), .init(Bytes.with("a: b\u{b}c"), .badFieldValue),
        .init(Bytes.with("a: \u{7f}"), .badFieldValue),
        .init(Bytes.with("a: b\nc: d"), .bareLineFeed), .init(Bytes.with("a\nc: d"), .bareLineFeed),
        .init(Bytes.with("a: b\rc"), .bareCarriageReturn),
        .init(Bytes.with("a: b\r\r"), .bareCarriageReturn),
        .init("GET / HTTP/1.1\r\nHost: a\r\n\rX", .bareCarriageReturn),
        .init("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
    ]

    /// RFC 9112 sections 3.2, 6 and 9, RFC 9110 sections 7.6.1, 8.6 and 10.1.1.
    static let meanings: [Refusal] = [
        .init("GET / HTTP/1.1\r\n\r\n", .missingHost),
        .init("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
        .init(Bytes.with("Host: a"), .severalHosts), .init(Bytes.with("hOST: b"), .severalHosts),
        .init("GET / HTTP/1.1\r\nHost:\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", .badHost),
        .init("GET / HTTP/1.1\r\nHost: []\r\n\r\n", .badHost),
        .init("GET / HTTP/1.0\r\nHost: a%62\r\n\r\n", .badHost),
        .init(Bytes.with("Content-Length:"), .badContentLength),
        .init(Bytes.with("Content-Length: +5"), .badContentLength),
        .init(Bytes.with("Content-Length: -5"), .badContentLength),
        .init(Bytes.with("Content-Length: 0x5"), .badContentLength),
        .init(Bytes.with("Content-Length: 5 5"), .badContentLength),
        .init(Bytes.with("Content-Length: 5, 5"), .badContentLength),
        .init(Bytes.with("Content-Length: 9223372036854775808"), .badContentLength),
        .init(Bytes.with("Content-Length: 00000000000000000005"), .badContentLength),
        .init(Bytes.with("Content-Length: 5\r\nContent-Length: 5"), .conflictingLengths),
        .init(Bytes.with("Content-Length: 5\r\ncontent-length: 6"), .conflictingLengths),
        .init(
            Bytes.with("Content-Length: 5\r\nTransfer-Encoding: chunked"), .lengthAndChunked),
        .init(
            Bytes.with("Transfer-Encoding: chunked\r\nContent-Length: 5"), .lengthAndChunked),
        .init(Bytes.with("Transfer-Encoding: chunked", version: "1.0"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding:"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: identity"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: xchunked"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: \"chunked\""), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: chunked;a=b"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: chunked, chunked"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: chunked, gzip"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: chunked,"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: \u{b}chunked"), .badFieldValue),
        .init(
            Bytes.with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            .badTransferEncoding),
        .init(
            Bytes.with("Transfer-Encoding: chunked\r\nTransfer-encoding: x"), .badTransferEncoding),
        .init(Bytes.with("Transfer-Encoding: gzip, chunked"), .unknownTransferEncoding),
        .init(Bytes.with("Connection: a b"), .badConnection),
        .init(Bytes.with("Connection: close, content-length"), .badConnection),
        .init(Bytes.with("Connection: Host"), .badConnection),
        .init(Bytes.with("Connection: transfer-encoding"), .badConnection),
        .init(Bytes.with("Expect: 200-ok"), .badExpectation),
        .init(Bytes.with("Expect: 100-continue, a"), .badExpectation),
    ]

    @Test(
        "what could be read in two ways is refused, however it is cut",
        arguments: requestLines + fields + meanings)
    func refused(_ refusal: Refusal) {
        let fault = refusal.fault.description
        #expect(Bytes.request(refusal.head) == fault)
        // A head that was looked at before is read again when a line of it has ended.
        let ended = refusal.head + "\r\n\r\n"
        let count = refusal.head.utf8.count
        #expect(Bytes.request(ended, cuts: Array(0..<count)) == fault)
        for cut in 0..<count {
            #expect(Bytes.request(ended, cuts: [cut]) == fault, "cut at \(cut)")
        }
    }

    // MARK: - What is read

    static let accepted: [(String, String)] = [
        (
            "GET /a?b=c HTTP/1.1\r\nHost: a.b:80\r\nX:  y\tz \t\r\n\r\n",
            "GET origin a.b:80 /a?b=c http11 none alive [Host=a.b:80] [X=y\tz] 48"
        ),
        ("\r\n\r\nGET /? HTTP/1.0\r\n\r\n", "GET origin  /? http10 none 23"),
        (
            "get http://A:80?q HTTP/1.1\r\nHost: a\r\n\r\n",
            "get absoluteHTTP A:80 ?q http11 none alive [Host=a] 39"
        ),
        (
            "GET HTTPS://[::1]/x HTTP/1.1\r\nHost: [::1]:443\r\n\r\n",
            "GET absoluteHTTPS [::1] /x http11 none alive [Host=[::1]:443] 49"
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS asterisk a  http11 none alive [Host=a] 31"
        ),
        (
            "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT authority a:443  http11 none alive [Host=a] 35"
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n"
                + "Expect: 100-Continue\r\n\r\n",
            "POST origin a / http11 length(9223372036854775807) alive expects [Host=a]"
                + " [Content-Length=9223372036854775807] [Expect=100-Continue] 87"
        ),
        (
            "PUT / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:Chunked\r\n"
                + "Connection: ,close ,x\r\n\r\n",
            "PUT origin a / http11 chunked [Host=a] [TRANSFER-ENCODING=Chunked]"
                + " [Connection=,close ,x] 77"
        ),
        (
            "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            "GET origin  / http10 none alive [Connection=Keep-Alive] 42"
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: x, Upgrade\r\n\r\n",
            "GET origin a / http11 none alive upgrade [Host=a] [Upgrade=websocket]"
                + " [Connection=x, Upgrade] 71"
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: H2C\r\nConnection: Upgrade\r\n\r\n",
            "GET origin a / http11 none alive [Host=a] [Upgrade=H2C] [Connection=Upgrade] 62"
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket, HTTP/2.0\r\n"
                + "Connection: Upgrade\r\n\r\n",
            "GET origin a / http11 none alive [Host=a] [Upgrade=websocket, HTTP/2.0]"
                + " [Connection=Upgrade] 78"
        ),
        (
            "GET / HTTP/1.0\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nExpect: 100-continue\r\n\r\n",
            "GET origin  / http10 none [Upgrade=h2c] [Connection=Upgrade] [Expect=100-continue] 75"
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2"),
    ]

    @Test("valid heads are read, in one piece, two, three, and byte by byte", arguments: accepted)
    func read(head: String, expected: String) {
        let count = head.utf8.count
        #expect(Bytes.request(head) == expected)
        #expect(Bytes.request(head + "rest") == expected)
        #expect(Bytes.request(head, cuts: Array(0..<count)) == expected)
        for cut in 0..<count {
            #expect(Bytes.request(String(decoding: head.utf8.prefix(cut), as: UTF8.self)) == "more")
            for second in cut..<count {
                #expect(Bytes.request(head, cuts: [cut, second]) == expected)
            }
        }
    }

    // MARK: - Limits

    @Test("limits hold at their boundary")
    func limits() {
        let head = "GET /abc HTTP/1.1\r\nHost: a\r\nb: c\r\n\r\n"
        let exact = HTTPRequestParser(headBytesMax: 36, fieldsMax: 2, targetBytesMax: 4)
        #expect(head.utf8.count == 36)
        #expect(Bytes.request(head, parser: exact).hasSuffix(" 36"))
        let all = Array(0..<36)
        for (parser, fault) in [
            (HTTPRequestParser(headBytesMax: 35), HTTPFault.headTooLong),
            (HTTPRequestParser(fieldsMax: 1), .tooManyFields),
            (HTTPRequestParser(targetBytesMax: 3), .targetTooLong),
        ] {
            #expect(Bytes.request(head, parser: parser) == fault.description)
            #expect(Bytes.request(head, cuts: all, parser: parser) == fault.description)
        }
        #expect(HTTPFault.headTooLong.status == 431 && HTTPFault.tooManyFields.status == 431)
        #expect(HTTPFault.targetTooLong.status == 414 && HTTPFault.badHost.status == 400)
        #expect(HTTPFault.versionNotSupported.status == 505)
        #expect(HTTPFault.badExpectation.status == 417)
    }

    @Test("fields with underscores are kept or left out, as is said")
    func underscores() {
        let head = Bytes.with("a_b: c\r\nd: e")
        #expect(
            Bytes.request(head, parser: HTTPRequestParser(underscores: .allow))
                .contains("[Host=a] [a_b=c] [d=e]"))
        #expect(
            Bytes.request(head, parser: HTTPRequestParser(underscores: .drop))
                .contains("[Host=a] [d=e]"))
    }

    // MARK: - Tables

    @Test("the classes of bytes are those of the RFCs")
    func classes() {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        let tokens = Set((letters + "!#$%&'*+-.^_`|~").utf8)
        let unreserved = Set((letters + "-._~").utf8)
        for byte in UInt8.min...UInt8.max {
            let isVisible = 0x21...0x7e ~= byte
            #expect(HTTPByte.token.contains(byte) == tokens.contains(byte))
            #expect(HTTPByte.unreserved.contains(byte) == unreserved.contains(byte))
            #expect(
                HTTPByte.path.contains(byte) == (isVisible && !Set("#?\\".utf8).contains(byte)))
            #expect(HTTPByte.query.contains(byte) == (isVisible && byte != UInt8(ascii: "#")))
            for place in 0..<20 {
                var bytes = [UInt8](repeating: 0xff, count: 20)
                bytes[place] = byte
                let isControl = byte < 0x20 || byte == 0x7f
                bytes.withUnsafeBytes {
                    #expect(HTTPByte.firstControl($0, from: 0) == (isControl ? place : 20))
                    #expect(
                        HTTPByte.firstLineFeed($0, from: 0) == (byte == 0x0a ? place : nil))
                }
            }
        }
    }

    @Test("known fields are told in any case, and nothing near them is")
    func knownFields() {
        for known in KnownField.allCases where known != .none {
            let name = Array("\(known.name)".utf8)
            let upper = Array("\(known.name)".uppercased().utf8)
            #expect(name.withUnsafeBytes { KnownField(name: $0) } == known)
            #expect(upper.withUnsafeBytes { KnownField(name: $0) } == known)
            for place in name.indices {
                for byte in UInt8(0x21)...0x7e where HTTPByte.token.contains(byte) {
                    guard HTTPByte.lowercase(byte) != name[place] else { continue }
                    var other = name
                    other[place] = byte
                    #expect(other.withUnsafeBytes { KnownField(name: $0) } == .none)
                }
            }
        }
    }
}
