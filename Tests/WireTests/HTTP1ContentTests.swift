import Testing

@testable import Wire

@Suite struct HTTP1ContentTests {
    // MARK: - Responses

    @Test(
        "responses are read as the request's method and the status say, however they are cut",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 'OK' length(5) alive 38"),
            ("HTTP/1.1 200\r\n\r\n", "200 '' untilClose 16"),
            ("HTTP/1.1 404 Not \u{e4}\r\n\r\n", "404 'Not \u{e4}' untilClose 23"),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200 'OK' length(0) 38"),
            ("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", "200 '' chunked alive 45"),
            ("HTTP/1.1 304 A\r\nContent-Length: 5\r\n\r\n", "304 'A' none alive 37"),
            ("HTTP/1.1 204 A\r\nContent-Length: 0\r\n\r\n", "204 'A' none alive 37"),
            ("HTTP/1.1 204 A\r\nContent-Length: 5\r\n\r\n", "204 'A' none 37"),
            ("HTTP/1.1 100 A\r\n\r\n", "100 'A' none alive interim 18"),
            ("HTTP/1.1 101 A\r\n\r\n", "101 'A' none alive switch 18"),
        ])
    func responses(head: String, expected: String) {
        #expect(HTTP1Bytes.response(head) == expected)
        let count = head.utf8.count
        #expect(HTTP1Bytes.response(head, cuts: Array(0..<count)) == expected)
        for cut in 0..<count { #expect(HTTP1Bytes.response(head, cuts: [cut]) == expected) }
    }

    @Test("HEAD and CONNECT decide what follows a response")
    func methods() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        #expect(HTTP1Bytes.response(head, answering: .head) == "200 'OK' none alive 38")
        #expect(HTTP1Bytes.response(head, answering: .connect) == "200 'OK' none tunnel 38")
    }

    @Test(
        "responses that could be read in two ways are refused",
        arguments: [
            ("HTTP/1.1 099 A\r\n\r\n", HTTPFault.badStatus), ("HTTP/1.1 600\r\n", .badStatus),
            ("HTTP/1.1 20 OK\r\n", .badStatus), ("HTTP/1.1 2000\r\n", .badStatus),
            ("HTTP/1.1  200\r\n", .badStatus), ("HTTP/2.0 200 OK\r\n", .versionNotSupported),
            ("HTTP/1.1\r\n", .badVersion), ("ICY 200 OK\r\n", .badVersion),
            ("HTTP/1.1 200 A\u{1}\r\n", .badFieldValue), ("HTTP/1.1 200 A\n", .bareLineFeed),
            ("HTTP/1.1 200 A\r\na : b\r\n", .whitespaceBeforeColon),
            ("HTTP/1.1 103 A\r\nContent-Length: 5\r\n\r\n", .badTransferEncoding),
            (
                "HTTP/1.1 200 A\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                .lengthAndChunked
            ),
            ("HTTP/1.0 200 A\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferEncoding),
            ("HTTP/1.1 200 A\r\nContent-Length: 5\r\nContent-Length: 5\r\n", .conflictingLengths),
        ])
    func refusedResponse(head: String, fault: HTTPFault) {
        #expect(HTTP1Bytes.response(head) == fault.description)
    }

    // MARK: - Chunks

    /// What `read` says of bytes that come in pieces which end at the cuts.
    private static func read(_ bytes: [UInt8], cuts: [Int] = []) -> String {
        var reader = ChunkedReader()
        var start = 0
        for end in cuts + [bytes.count] {
            switch bytes[start..<end].withUnsafeBytes({ reader.read($0) }) {
            case .more: start = end
            case .ended(let count): return "ended \(start + count)"
            case .malformed(let fault): return fault.description
            }
        }
        return "more"
    }

    /// The data and trailers that `next` finds when so many bytes come at a time.
    private static func pieces(_ bytes: [UInt8], of size: Int) -> String {
        var reader = ChunkedReader()
        var (data, trailers) = ([UInt8](), [String]())
        var (place, end) = (0, 0)
        while true {
            let piece = bytes[..<end].withUnsafeBytes { reader.next($0, from: &place) }
            switch piece {
            case .data(let range): data += bytes[range]
            case .trailerLine(let range, let field):
                trailers.append(String(decoding: bytes[range], as: UTF8.self))
                bytes.withUnsafeBytes {
                    trailers.append("<" + HTTP1Bytes.string(field.value, $0) + ">")
                }
            case .needsMore where end == bytes.count: return "more"
            case .needsMore: end = min(end + size, bytes.count)
            case .ended:
                return String(decoding: data, as: UTF8.self) + "|"
                    + trailers.joined(separator: "|") + "|\(place)"
            case .malformed(let fault): return fault.description
            }
        }
    }

    @Test("chunks are read at every cut, and what follows them is not")
    func chunks() {
        let text = "5;a=\"b\"\r\nhello\r\n00A\r\n, world...\r\n0\r\nX-Sum:  1 \r\nY:\r\n\r\n"
        let bytes = Array(text.utf8)
        let count = bytes.count
        #expect(Self.read(bytes + [1, 2]) == "ended \(count)")
        #expect(Self.read(bytes, cuts: Array(0..<count)) == "ended \(count)")
        for cut in 0..<count {
            #expect(Self.read(Array(bytes[..<cut])) == "more")
            for second in cut..<count {
                #expect(Self.read(bytes, cuts: [cut, second]) == "ended \(count)")
            }
        }
        for size in 1...count {
            #expect(
                Self.pieces(bytes + [1], of: size)
                    == "hello, world...|X-Sum:  1 |<1>|Y:|<>|\(count)")
        }
    }

    @Test(
        "chunks that could be read in two ways are refused, whoever reads and however",
        arguments: [
            ("\r\n", HTTPFault.badChunk), (";a\r\n", .badChunk), ("-1\r\n", .badChunk),
            ("0x5\r\n", .badChunk), (" 5\r\n", .badChunk), ("5 \r\n", .badChunk),
            ("g\r\n", .badChunk), ("8000000000000000\r\n", .badChunk),
            ("10000000000000000\r\n", .badChunk), ("00000000000000005\r\n", .badChunk),
            ("5\n", .bareLineFeed), ("5;a\n", .bareLineFeed), ("5\rx", .bareCarriageReturn),
            ("5;a\rx", .bareCarriageReturn), ("5;\u{0}", .badChunkExtension),
            ("5;\u{7f}", .badChunkExtension), ("1\r\nab", .badChunk), ("1\r\na\n", .badChunk),
            ("1\r\na\rx", .bareCarriageReturn), ("0\r\n\n", .bareLineFeed),
            ("0\r\n\rx", .bareCarriageReturn), ("0\r\na b: c\r\n", .whitespaceBeforeColon),
            ("0\r\n a: b\r\n", .obsoleteFolding), ("0\r\n: b\r\n", .badFieldName),
            ("0\r\na: b\n", .bareLineFeed), ("0\r\na: \u{0}\r\n", .badFieldValue),
            ("0\r\na: b\rx", .bareCarriageReturn),
            ("0\r\nContent-Length: 5\r\n", .forbiddenTrailer),
            ("0\r\ntransfer-encoding: chunked\r\n", .forbiddenTrailer),
            ("0\r\nHOST: a\r\n", .forbiddenTrailer),
        ])
    func refusedChunk(text: String, fault: HTTPFault) {
        let bytes = Array(text.utf8)
        #expect(Self.read(bytes) == fault.description)
        #expect(Self.read(bytes, cuts: Array(0..<bytes.count)) == fault.description)
        #expect(Self.pieces(bytes, of: 1) == fault.description)
        #expect(Self.pieces(bytes, of: bytes.count) == fault.description)
    }

    @Test("the limits of chunked content hold at their boundary")
    func chunkLimits() {
        #expect(Self.read(Array("7fffffffffffffff\r\nabc".utf8)) == "more")
        let most = String(repeating: "a", count: Int(ChunkedReader.extensionBytesMax))
        #expect(Self.read(Array("0;\(most)\r\n\r\n".utf8)).hasPrefix("ended"))
        #expect(
            Self.read(Array("0;\(most)a\r\n\r\n".utf8))
                == HTTPFault.chunkExtensionsTooLong.description)
        let lines = String(repeating: "a:\r\n", count: Int(ChunkedReader.trailersMax))
        #expect(Self.read(Array("0\r\n\(lines)\r\n".utf8)).hasPrefix("ended"))
        let tooLong = HTTPFault.trailersTooLong.description
        #expect(Self.read(Array("0\r\n\(lines)a:\r\n\r\n".utf8)) == tooLong)
        let value = String(repeating: "a", count: Int(ChunkedReader.trailerBytesMax) - 6)
        #expect(Self.read(Array("0\r\na:\(value)\r\n\r\n".utf8)).hasPrefix("ended"))
        #expect(Self.read(Array("0\r\na:\(value)a\r\n\r\n".utf8)) == tooLong)
    }

    // MARK: - Paths

    private static func normal(
        _ path: String, _ slashes: HTTPPath.EscapedSlashes, merges: Bool = true
    ) -> String {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: path.utf8.count, alignment: 1)
        defer { memory.deallocate() }
        return Array(path.utf8).withUnsafeBytes {
            let outcome = HTTPPath.normalize(
                $0, into: memory, escapedSlashes: slashes, mergesSlashes: merges)
            switch outcome {
            case .unchanged: return "="
            case .changed(let count): return String(decoding: memory[..<count], as: UTF8.self)
            case .redirect(let count):
                return ">" + String(decoding: memory[..<count], as: UTF8.self)
            case .malformed: return "!"
            }
        }
    }

    @Test(
        "paths come to their normal form",
        arguments: [
            ("/", "="), ("/a/b", "="), ("/a.b/..c/...", "="), ("/a%20b%2520", "="), ("/.", "/"),
            ("/..", "/"), ("/a/..", "/"), ("/a/.", "/a/"), ("/a/./b", "/a/b"),
            ("/a/../b", "/b"), ("/../../a", "/a"), ("/a/b/../../c/", "/c/"),
            ("/a//b///", "/a/b/"), ("/a//../b", "/a/b"), ("/%61%2e%2E/b", "/a../b"),
            ("/a/%2e%2e/b", "/b"), ("/a/.%2E", "/"), ("/a%2Fb", ">/a/b"), ("/a%5c..", ">/"),
            ("/a%2f%2fb", ">/a/b"), ("/%", "!"), ("/%4", "!"), ("/%4g", "!"), ("/%00", "!"),
        ])
    func paths(path: String, expected: String) {
        #expect(Self.normal(path, .unescapeAndRedirect) == expected)
    }

    @Test("escaped slashes and neighbouring ones are treated as is configured")
    func pathSettings() {
        #expect(Self.normal("/a%2fb", .keepUnchanged) == "=")
        #expect(Self.normal("/a%2fb", .reject) == "!")
        #expect(Self.normal("/a%5Cb", .unescapeAndForward) == "/a/b")
        #expect(Self.normal("/a//b", .reject, merges: false) == "=")
    }

    // MARK: - Writing

    @Test("what parses and is written again parses to the same", arguments: [0, 1, 2, 3, 4])
    func written(index: Int) {
        let heads = HTTP1RequestTests.accepted.filter { $0.0.contains(" HTTP/1.1\r\n") }
        let head = Array(heads[index].0.utf8)
        let table = HTTPHeadTable(fieldsMax: 128)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 1)
        defer { memory.deallocate() }
        for room in 0...512 {
            var resume = 0
            let copy = head.withUnsafeBytes { raw -> [UInt8]? in
                let verdict = HTTPRequestParser().parse(raw, resumingAt: &resume, into: table)
                guard case .complete(let line) = verdict else { return nil }
                var writer = HTTPHeadWriter(
                    UnsafeMutableRawBufferPointer(rebasing: memory[..<room]))
                writer.requestLine(
                    method: line.methodName.bytes(in: raw), target: line.target.bytes(in: raw))
                for place in 0..<Int(line.fieldCount) { writer.field(table.fields[place], of: raw) }
                writer.end()
                return writer.written.map(Array.init)
            }
            guard let copy else {
                #expect(room < 200, "there was room")
                continue
            }
            let said = { (text: String) in text.split(separator: " ").dropLast() }
            #expect(said(HTTP1Bytes.request(copy)) == said(heads[index].1))
        }
    }

    @Test("numbers, reasons and fields are written as they are read")
    func parts() {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 200, alignment: 1)
        defer { memory.deallocate() }
        var writer = HTTPHeadWriter(memory)
        writer.statusLine(404)
        writer.field("Content-Length", UInt64.max)
        writer.field("Server", "a")
        writer.end()
        writer.chunkSize(0x1a2f)
        #expect(
            writer.written.map { String(decoding: $0, as: UTF8.self) }
                == "HTTP/1.1 404 Not Found\r\nContent-Length: 18446744073709551615\r\n"
                + "Server: a\r\n\r\n1a2f\r\n")
    }
}
