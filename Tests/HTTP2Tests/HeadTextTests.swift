import Testing

@testable import HTTP2

@Suite("Heads as text")
struct HeadTextTests {
    private func text(
        _ fields: [(String, String)], bytesMax: Int = 1_000, trailers: Bool = false
    ) -> String? {
        var head = HeadText(bytesMax: bytesMax)
        for (name, value) in fields {
            Array(name.utf8).withUnsafeBytes { name in
                Array(value.utf8).withUnsafeBytes { head.add(name, $0) }
            }
        }
        if trailers { head.finishTrailers() } else { head.finish() }
        return head.isTooLong ? nil : String(decoding: head.bytes, as: UTF8.self)
    }

    @Test("pseudo-fields become the first line and the host, in whatever order they come")
    func pseudoFields() {
        let wanted = "GET /a?b HTTP/1.1\r\nhost: x:1\r\na: b\r\n\r\n"
        #expect(
            text([
                (":method", "GET"), (":scheme", "http"), (":path", "/a?b"), (":authority", "x:1"),
                ("a", "b"),
            ]) == wanted)
        #expect(
            text([
                (":authority", "x:1"), (":path", "/a?b"), (":scheme", "http"), (":method", "GET"),
                ("a", "b"),
            ]) == wanted)
        #expect(text([(":status", "204")]) == "HTTP/1.1 204 \r\n\r\n")
        #expect(
            text([(":method", "CONNECT"), (":authority", "x:1")])
                == "CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n")
    }

    @Test("a host that says the same as the authority stands once, another one twice")
    func hosts() {
        let start = [(":method", "GET"), (":path", "/"), (":authority", "x")]
        #expect(text(start + [("host", "x")]) == "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        // Which the parser refuses.
        #expect(text(start + [("host", "y")]) == "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n")
        #expect(
            text([(":method", "GET"), (":path", "/"), ("host", "y")])
                == "GET / HTTP/1.1\r\nhost: y\r\n\r\n")
    }

    @Test("cookies are one field (RFC 9113 section 8.2.3)")
    func cookies() {
        #expect(
            text([
                (":method", "GET"), (":path", "/"), ("cookie", "a=1"), ("b", "c"),
                ("cookie", "d=2"),
            ]) == "GET / HTTP/1.1\r\nb: c\r\ncookie: a=1; d=2\r\n\r\n")
    }

    @Test("trailers are lines only")
    func trailers() {
        #expect(text([("a", "b"), ("c", "")], trailers: true) == "a: b\r\nc: \r\n")
    }

    @Test("what is longer than it may be is told, wherever it grows", arguments: [10, 30, 40])
    func length(bytesMax: Int) {
        let fields = [
            (":method", "GET"), (":path", "/12345678901234"), ("a", "1234567890"), ("b", ""),
        ]
        #expect(text(fields, bytesMax: bytesMax) == nil)
        #expect(text(fields) != nil)
        #expect(text([("cookie", String(repeating: "a", count: 50))], bytesMax: bytesMax) == nil)
    }
}
