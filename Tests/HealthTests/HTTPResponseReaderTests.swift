import Testing

@testable import Health

@Suite("HTTP/1.1 responses")
struct HTTPResponseReaderTests {
    /// What a whole stream is: a response, with what comes after it left alone, or a fault.
    struct Reading: Equatable {
        var status: UInt16?
        var body = ""
        var fault: HTTPFault?
    }

    private static func read(
        _ pieces: [ArraySlice<UInt8>], method: String, ends: Bool
    ) -> Reading {
        var reader = HTTPResponseReader(method: method)
        var reading = Reading()
        var body: [UInt8] = []
        do throws(HTTPFault) {
            for piece in pieces {
                // Of its own, so that reading beyond it is seen by a sanitizer.
                let bytes = UnsafeMutableRawBufferPointer.allocate(
                    byteCount: piece.count, alignment: 1)
                defer { bytes.deallocate() }
                bytes.copyBytes(from: piece)
                try reader.read(UnsafeRawBufferPointer(bytes)) { body += $0 }
            }
            if ends { try reader.end() }
        } catch {
            reading.fault = error
        }
        reading.status = reader.status
        reading.body = String(decoding: body, as: UTF8.self)
        if !ends, reading.fault == nil { #expect(reader.isComplete) }
        return reading
    }

    /// At once, in every two pieces, and byte by byte.
    private static func check(
        _ text: String, _ wanted: Reading, method: String = "GET", ends: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let bytes = Array(text.utf8)
        var cuts = (0...bytes.count).map { [bytes[..<$0], bytes[$0...]] }
        cuts.append(bytes.indices.map { bytes[$0...$0] })
        for cut in cuts {
            let reading = read(cut, method: method, ends: ends)
            if reading != wanted {
                Issue.record(
                    "\(text.debugDescription) as \(cut.map(\.count)): \(reading)",
                    sourceLocation: sourceLocation)
                return
            }
        }
    }

    private static let ok = "HTTP/1.1 200 OK\r\n"

    @Test("a body is as long as it is said to be, or ends with the stream")
    func bodies() {
        Self.check(Self.ok + "Content-Length: 5\r\n\r\nhello", .init(status: 200, body: "hello"))
        Self.check(
            Self.ok + "content-LENGTH:  5 \r\n\r\nhello world", .init(status: 200, body: "hello"))
        Self.check(Self.ok + "Content-Length: 0\r\n\r\n", .init(status: 200))
        Self.check(
            Self.ok + "Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi",
            .init(status: 200, body: "hi"))
        Self.check(Self.ok + "A: b\r\n\r\nhello", .init(status: 200, body: "hello"), ends: true)
        Self.check(
            Self.ok + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nhello",
            .init(status: 200, body: "hello"), ends: true)
        Self.check(Self.ok + "\r\n", .init(status: 200), ends: true)
    }

    @Test("chunks are put together")
    func chunks() {
        let head = Self.ok + "Transfer-Encoding: chunked\r\n\r\n"
        Self.check(
            head + "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
            .init(status: 200, body: "hello world"))
        Self.check(
            head + "00a\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
            .init(status: 200, body: "0123456789"))
        Self.check(
            Self.ok
                + "Transfer-Encoding: gzip, Chunked\r\nContent-Length: 9\r\n\r\n"
                + "1 \r\na\r\n0\r\n\r\n",
            .init(status: 200, body: "a"))
        for bad in ["", "x", "-1", "1000000000000000"] {
            Self.check(head + bad + "\r\n", .init(status: 200, fault: .chunk))
        }
        Self.check(head + "1\r\nab\r\n", .init(status: 200, body: "a", fault: .chunk))
    }

    @Test("some responses have no body, whatever they say")
    func bodyless() {
        let length = "Content-Length: 5\r\n\r\n"
        Self.check(Self.ok + length, .init(status: 200), method: "HEAD")
        Self.check("HTTP/1.1 204 No Content\r\n" + length, .init(status: 204))
        Self.check("HTTP/1.1 304 Not Modified\r\n" + length, .init(status: 304))
        Self.check("HTTP/1.1 101 Switching Protocols\r\n\r\n", .init(status: 101))
    }

    @Test("interim responses go before")
    func interim() {
        Self.check(
            "HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                + "Link: a\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\nx",
            .init(status: 503, body: "x"))
    }

    @Test("status lines of HTTP/1 are read, and no others")
    func statusLines() {
        for line in ["HTTP/1.0 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200", "HTTP/1.1 200 Ünï"] {
            Self.check(line + "\r\nContent-Length: 0\r\n\r\n", .init(status: 200))
            Self.check(line + "\nContent-Length: 0\n\n", .init(status: 200))
        }
        let bad = [
            "", "HTTP/2 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK",
            "HTTP/1.1 2x0 OK", "HTTP/1.1 099 OK", "HTTP/1.x 200 OK", "http/1.1 200 OK",
            "SSH-2.0-OpenSSH_9", "220 mail ESMTP",
        ]
        for line in bad { Self.check(line + "\r\n", .init(fault: .statusLine)) }
    }

    @Test("header lines have names, and Content-Length is one number")
    func headers() {
        Self.check(Self.ok + "A:b\r\n folded\r\nContent-Length: 0\r\n\r\n", .init(status: 200))
        for line in ["nothing", ": value"] {
            Self.check(Self.ok + line + "\r\n", .init(fault: .headerField))
        }
        for value in ["", "x", "-1", "+1", "1 2", "1,", "1, 2", "1234567890123456789"] {
            Self.check(
                Self.ok + "Content-Length: \(value)\r\n", .init(fault: .contentLength))
        }
        Self.check(
            Self.ok + "Content-Length: 1\r\nContent-Length: 2\r\n", .init(fault: .contentLength))
    }

    @Test("a stream that ends early leaves no response")
    func ends() {
        let whole = Self.ok + "Content-Length: 5\r\n\r\nhello"
        for count in 0..<whole.utf8.count {
            let text = String(decoding: whole.utf8.prefix(count), as: UTF8.self)
            let reading = Self.read([Array(text.utf8)[...]], method: "GET", ends: true)
            #expect(reading.fault == .incomplete, "\(text.debugDescription)")
        }
        let chunked = Self.ok + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
        #expect(
            Self.read([Array(chunked.utf8)[...]], method: "GET", ends: true).fault == .incomplete)
    }

    @Test("no head is endless, however it is endless")
    func bounds() {
        let endless: [(start: String, more: String)] = [
            ("", "H"), (Self.ok, "a: b\r\n"), (Self.ok, "a"), ("", "HTTP/1.1 100 a\r\n\r\n"),
            (Self.ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "a: b\r\n"),
            (Self.ok + "Transfer-Encoding: chunked\r\n\r\n", "0"),
        ]
        for (start, more) in endless {
            let rest = String(
                repeating: more, count: HTTPResponseReader.headBytesMax / more.utf8.count + 1)
            let reading = Self.read([Array((start + rest).utf8)[...]], method: "GET", ends: true)
            #expect(reading.fault == .headTooLong, "\((start + more).debugDescription)")
        }
    }
}
