import CLinux
import Kernel
import Primitives
import Testing

@testable import Control

@Suite("Demo backends")
struct DemoBackendTests {
    private func client(_ kind: __socket_type, to address: SocketAddress) throws -> Descriptor {
        var raw = address.raw
        let socket = apus_socket(raw.family, Int32(kind.rawValue), 0)
        if let error = Errno(result: Int(socket)) { throw error }
        let result = apus_connect(socket, &raw.storage, raw.length)
        if let error = Errno(result: Int(result)) { throw error }
        return socket
    }

    /// Sends a text and its end, then reads to the end of the stream.
    private func exchange(_ text: String, with address: SocketAddress) throws -> String {
        let socket = try client(SOCK_STREAM, to: address)
        defer { _ = apus_close(socket) }
        var text = text
        let sent = text.withUTF8 { apus_send(socket, $0.baseAddress, $0.count, 0) }
        #expect(sent == text.utf8.count)
        _ = apus_shutdown(socket, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = apus_recv(socket, &chunk, chunk.count, 0)
            if let error = Errno(result: count) { throw error }
            if count == 0 { return String(decoding: answer, as: UTF8.self) }
            answer += chunk[..<count]
        }
    }

    @Test("an HTTP request is answered with the backend's name and the client's")
    func http() throws {
        let backend = try DemoBackend("demo-x", .stream, on: .ip(.loopbackIPv4, port: 0))
        let answer = try exchange(
            "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", with: backend.address)
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        try #require(parts.count == 2)
        #expect(parts[0].hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)\r\n"))
        #expect(parts[1].hasPrefix("Hello from demo-x (\(backend.address)) to 127.0.0.1:"))
        #expect(parts[1].hasSuffix(": POST /p HTTP/1.1\n"))
    }

    @Test("other lines come back, the last one without a line end too")
    func lines() throws {
        let address = SocketAddress.unix(
            path: "@apus-test-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        _ = try DemoBackend("demo-y", .stream, on: address)
        let client = "a client without an address"
        #expect(
            try exchange("one\r\ntwo", with: address)
                == "demo-y heard \(client) say: one\ndemo-y heard \(client) say: two\n")
    }

    @Test("a PROXY protocol line before the rest names the client")
    func proxyLine() throws {
        let backend = try DemoBackend("demo-z", .stream, on: .ip(.loopbackIPv4, port: 0))
        let answer = try exchange(
            "PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\nhi\n", with: backend.address)
        #expect(answer == "demo-z heard 192.0.2.7:5555 say: hi\n")
    }

    @Test("a datagram comes back as it was, an empty one too")
    func datagrams() throws {
        let backend = try DemoBackend("demo-u", .datagram, on: .ip(.loopbackIPv4, port: 0))
        let socket = try client(SOCK_DGRAM, to: backend.address)
        defer { _ = apus_close(socket) }
        for size in [5, 0, 9000] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            #expect(apus_send(socket, bytes, size, 0) == size)
            var answer = [UInt8](repeating: 0, count: 65_536)
            #expect(apus_recv(socket, &answer, answer.count, 0) == size)
            #expect(Array(answer[..<size]) == bytes)
        }
    }
}
