import Testing

@testable import Admin

@Suite("Request heads")
struct RequestHeadTests {
    private static func match(
        _ target: String, _ host: String?, method: String = "GET"
    ) -> RequestHead.Verdict {
        .match(RequestHead(method: method, target: target, host: host))
    }

    private static let whole: [(text: String, verdict: RequestHead.Verdict)] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", match("/", "a")),
        ("GET / HTTP/1.1\nHost: a\n\n", match("/", "a")),
        ("GET /x?y=1 HTTP/1.1\r\nhOsT:a:80\r\nAccept: */*\r\n\r\n", match("/x?y=1", "a:80")),
        ("GET / HTTP/1.1\r\nHost: \t a b \t\r\n\r\n", match("/", "a b")),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", match("/", "")),
        ("GET / HTTP/1.0\r\n\r\n", match("/", nil)),
        ("GET http://a:1/x HTTP/1.1\r\nHost: b\r\n\r\n", match("/x", "a:1")),
        ("GET http://a?x HTTP/1.1\r\nHost: b\r\n\r\n", match("/?x", "a")),
        ("GET /?u=http://a HTTP/1.1\r\nHost: b\r\n\r\n", match("/?u=http://a", "b")),
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\nbody", match("/", "a", method: "POST")),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", match("/", "a", method: "get")),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", match("*", "a", method: "OPTIONS")),
        ("GET / HTTP/1.1\r\n\r\n", .fault(.hostMissing)),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n", .fault(.malformed)),
        ("GET / HTTP/2.0\r\n", .fault(.version)), ("GET / HTTP/1.10\r\n", .fault(.version)),
        ("GET /\r\n", .fault(.malformed)), ("\r\n", .fault(.malformed)),
        ("GET  / HTTP/1.1\r\n", .fault(.malformed)), ("GET / b HTTP/1.1\r\n", .fault(.malformed)),
        ("GET / SIP/2.0\r\n", .fault(.malformed)), (" / HTTP/1.1\r\n", .fault(.malformed)),
        ("G(T / HTTP/1.1\r\n", .fault(.malformed)), ("GET /ä HTTP/1.1\r\n", .fault(.malformed)),
        ("GET / HTTP/1.1 \r\n", .fault(.malformed)),
    ]

    @Test("are read strictly, and what is wrong is told", arguments: whole.indices)
    func verdicts(place: Int) {
        let (text, verdict) = Self.whole[place]
        #expect(RequestHead.parse(text.utf8) == verdict, "\(text.debugDescription)")
    }

    @Test("need more until they are whole, and then no more", arguments: whole.indices)
    func pieces(place: Int) {
        let (text, verdict) = Self.whole[place]
        let bytes = Array(text.utf8)
        var first: Int?
        for count in 0...bytes.count {
            let now = RequestHead.parse(bytes[..<count])
            if let first {
                #expect(now == verdict, "after \(first) bytes it was decided, not after \(count)")
            } else if now != .needMore {
                first = count
                #expect(now == verdict)
            }
        }
        #expect(first != nil)
    }

    @Test("longer than they may be are refused at that length and not before")
    func length() {
        let start = "GET / HTTP/1.1\r\nHost: a\r\n"
        let max = RequestHead.bytesMax
        let fill = "X: " + String(repeating: "x", count: max - start.utf8.count - 7)
        #expect(RequestHead.parse((start + fill).utf8) == .needMore)
        #expect(RequestHead.parse((start + fill + "\r\n\r\n").utf8) == Self.match("/", "a"))
        #expect(RequestHead.parse((start + fill + "yyyyy").utf8) == .fault(.tooLong))
        let line = String(repeating: "x", count: max)
        #expect(RequestHead.parse(line.utf8.dropLast()) == .needMore)
        #expect(RequestHead.parse(line.utf8) == .fault(.tooLong))
    }
}

@Suite("Request targets")
struct RequestTargetTests {
    @Test(
        "have a path without percent signs, and without a slash at the end",
        arguments: [
            ("/", "/"), ("/ready", "/ready"), ("/ready/", "/ready"), ("/a%2Fb", "/a/b"),
            ("/%", "/%"), ("/%4", "/%4"), ("/%zz", "/%zz"), ("/%41%e4", "/A\u{fffd}"),
            ("*", "*"), ("/ready?x", "/ready"), ("/?/", "/"),
        ])
    func path(text: String, path: String) {
        #expect(RequestTarget(text).path == path)
    }

    @Test("have parameters, of which the first of a name counts")
    func parameters() {
        let target = RequestTarget("/stats?format=json&filter=a%26b+c&usedonly&format=text&=x#y=z")
        #expect(target["format"] == "json")
        #expect(target["filter"] == "a&b+c")
        #expect(target["usedonly"] == "")
        #expect(target[""] == "x")
        #expect(target["y"] == nil)
    }
}
