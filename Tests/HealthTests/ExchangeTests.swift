import Primitives
import Routing
import Testing

@testable import Health

@Suite("What is said in a check")
struct ExchangeTests {
    private static func receive(_ exchange: any Exchange, _ text: String) -> CheckOutcome? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { exchange.receive($0) }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: - TCP and UDP

    @Test("TCP: connecting and sending is enough where nothing is expected")
    func connecting() {
        let silent = StreamExchange(send: [], expect: [])
        #expect(silent.takeOutput().isEmpty && silent.sent() == .passed)
        let speaking = StreamExchange(send: [1, 2], expect: [])
        #expect(speaking.takeOutput() == [1, 2] && speaking.takeOutput().isEmpty)
        #expect(speaking.sent() == .passed)
    }

    @Test("TCP: what is expected may stand anywhere and come in pieces, but not too late")
    func expecting() {
        let exchange = StreamExchange(send: [], expect: Array("pong".utf8))
        #expect(exchange.sent() == nil)
        #expect(Self.receive(exchange, "hello po") == nil)
        #expect(Self.receive(exchange, "ng!") == .passed)
        let flooded = StreamExchange(send: [], expect: Array("pong".utf8))
        let flood = String(repeating: "x", count: HealthCheck.answerBytesMax)
        #expect(
            Self.receive(flooded, flood)
                == .failed(.answerTooLong(bytes: HealthCheck.answerBytesMax)))
        #expect(StreamExchange(send: [], expect: [1]).end() == .failed(.closedEarly))
    }

    @Test("UDP: each datagram is looked at alone, and silence is well where nothing is expected")
    func datagrams() {
        let exchange = DatagramExchange(send: [7], expect: Array("pong".utf8))
        #expect(exchange.takeOutput() == [7] && exchange.sent() == nil)
        #expect(Self.receive(exchange, "po") == nil)
        #expect(Self.receive(exchange, "ng") == nil)
        #expect(exchange.expire() == nil)
        #expect(Self.receive(exchange, "a pong") == .passed)
        let easy = DatagramExchange(send: [], expect: [])
        #expect(easy.expire() == .passed)
        #expect(Self.receive(easy, "") == .passed)
    }

    // MARK: - HTTP/1.1

    private static let ok = "HTTP/1.1 200 OK\r\n"

    @Test("a request is written as RFC 9112 has it")
    func requests() {
        let get = HTTP1Exchange(.init(path: "/up?a=1"), host: "a.test")
        #expect(
            Self.text(get.takeOutput()) == """
                GET /up?a=1 HTTP/1.1\r
                Host: a.test\r
                User-Agent: apus-health-check\r
                Connection: close\r
                \r\n
                """)
        #expect(get.takeOutput().isEmpty)
        let post = HTTP1Exchange(
            .init(path: "a b\r\nX: ü", method: "POST", body: Array("up".utf8)), host: "[::1]:80")
        #expect(
            Self.text(post.takeOutput()) == """
                POST /a%20b%0D%0AX:%20%C3%BC HTTP/1.1\r
                Host: [::1]:80\r
                User-Agent: apus-health-check\r
                Connection: close\r
                Content-Length: 2\r
                \r
                up
                """)
        let empty = HTTP1Exchange(.init(path: "/", method: "PUT"), host: "a")
        #expect(Self.text(empty.takeOutput()).contains("Content-Length: 0\r\n"))
    }

    @Test("a status that is not expected decides at once, whatever follows")
    func statuses() {
        func outcome(_ status: Int, _ rest: String = "") -> CheckOutcome? {
            let probe = HealthCheckPlan.HTTPProbe(
                path: "/", statuses: [200, 204], retriableStatuses: [503])
            return Self.receive(
                HTTP1Exchange(probe, host: "a"), "HTTP/1.1 \(status) x\r\n\r\n\(rest)")
        }
        #expect(outcome(204) == .passed)
        #expect(outcome(200) == nil, "its body has no end yet")
        #expect(outcome(503) == .failed(.status(503, isRetriable: true)))
        #expect(outcome(404) == .failed(.status(404, isRetriable: false)))
        #expect(outcome(100, "HTTP/1.1 204 y\r\n\r\n") == .passed)
        let chunked = HTTP1Exchange(.init(path: "/"), host: "a")
        #expect(
            Self.receive(chunked, "HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n")
                == .failed(.status(500, isRetriable: false)), "before the fault after it")
    }

    @Test("a body is looked through as far as it is looked through")
    func bodies() {
        func exchange() -> HTTP1Exchange {
            HTTP1Exchange(.init(path: "/", expectedBody: Array("ready".utf8)), host: "a")
        }
        let early = exchange()
        #expect(Self.receive(early, Self.ok + "\r\nis rea") == nil)
        #expect(Self.receive(early, "dy") == .passed)
        let other = exchange()
        #expect(
            Self.receive(other, Self.ok + "Content-Length: 2\r\n\r\nno")
                == .failed(.bodyDiffers(status: 200)))
        let ended = exchange()
        #expect(Self.receive(ended, Self.ok + "\r\nnothing") == nil)
        #expect(ended.end() == .failed(.bodyDiffers(status: 200)))
        let cut = exchange()
        #expect(Self.receive(cut, Self.ok + "Content-Length: 9\r\n\r\nno") == nil)
        #expect(cut.end() == .failed(.closedEarly))
        let long = String(repeating: "x", count: HealthCheck.answerBytesMax)
        #expect(
            Self.receive(exchange(), Self.ok + "\r\n" + long + "ready")
                == .failed(.bodyDiffers(status: 200)))
        let easy = HTTP1Exchange(.init(path: "/"), host: "a")
        #expect(Self.receive(easy, Self.ok + "\r\n" + long) == .passed)
    }

    @Test("what is no HTTP is told so")
    func malformed() {
        let exchange = HTTP1Exchange(.init(path: "/"), host: "a")
        #expect(
            Self.receive(exchange, "220 mail ESMTP\r\n") == .failed(.malformed(.statusLine)))
        #expect(HTTP1Exchange(.init(path: "/"), host: "a").end() == .failed(.closedEarly))
    }

    // MARK: - HTTP/2

    private static func session() -> HTTP2Session {
        let probe = HealthCheckPlan.HTTPProbe(path: "/")
        return HTTP2Session(HTTP2Request(probe, host: "a"), .http(HTTPExpectation(probe)))
    }

    @Test("HTTP/2 begins with its preface, and who answers otherwise is told so")
    func prefaces() {
        let session = Self.session()
        #expect(Self.text(session.takeOutput()).hasPrefix("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        #expect(session.takeOutput().isEmpty && session.sent() == nil)
        var outcome = Self.receive(session, "HTTP/1.1 400 Bad Request\r\n\r\n")
        if outcome == nil {
            #expect(!session.takeOutput().isEmpty, "GOAWAY")
            outcome = session.sent()
        }
        #expect(outcome == .failed(.http2(code: 1)))
        #expect(Self.session().end() == .failed(.closedEarly))
    }
}
