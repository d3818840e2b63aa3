import CNghttp2
import Testing

@testable import HTTP2

@Suite("Texts as lists of fields")
struct FieldListTests {
    private func fields(
        _ text: String, _ set: (inout FieldList, UnsafeMutableRawBufferPointer) -> Void
    ) -> [String] {
        var list = FieldList()
        var bytes = Array(text.utf8)
        return bytes.withUnsafeMutableBytes { bytes in
            set(&list, bytes)
            return list.fields.map { field in
                let name = UnsafeBufferPointer(start: field.name, count: field.namelen)
                let value = UnsafeBufferPointer(start: field.value, count: field.valuelen)
                return String(decoding: name, as: UTF8.self) + "="
                    + String(decoding: value, as: UTF8.self)
            }
        }
    }

    @Test("a request's pseudo-fields come first, and what is HTTP/1's own is left out")
    func request() {
        let text =
            "GET /a b HTTP/1.1\r\nAccept: x\r\nHOST: h:1\r\nConnection: close\r\n"
            + "Transfer-Encoding: chunked\r\nTE: gzip\r\nUpgrade: x\r\nKeep-Alive: 1\r\n"
            + "Proxy-Connection: x\r\nX-Empty:\r\n\r\n"
        #expect(
            fields(text) { $0.setRequest($1, isSecure: true) } == [
                ":method=GET", ":scheme=https", ":path=/a b", ":authority=h:1", "accept=x",
                "x-empty=", "te=trailers",
            ])
        #expect(
            fields("OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n") { $0.setRequest($1, isSecure: false) }
                == [":method=OPTIONS", ":scheme=http", ":path=*", ":authority=h", "te=trailers"])
    }

    @Test("an answer begins with its status")
    func answer() {
        #expect(
            fields("HTTP/1.1 404 Not Found\r\nServer: a\r\nconnection: close\r\n\r\n") {
                $0.setAnswer($1)
            } == [":status=404", "server=a"])
        #expect(fields("HTTP/1.1 200 \r\n\r\n") { $0.setAnswer($1) } == [":status=200"])
    }

    @Test("trailers have no first line")
    func trailers() {
        #expect(
            fields("Grpc-Status: 0\r\ngrpc-message: a b\r\n") { $0.setTrailers($1) } == [
                "grpc-status=0", "grpc-message=a b",
            ])
    }
}
