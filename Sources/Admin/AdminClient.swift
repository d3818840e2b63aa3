import CLinux
import Kernel
import Primitives

/// Asks an admin server for one page. What fails is told in a sentence. Used by commands, on their
/// thread.
public enum AdminClient {
    public struct Failure: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    private static let patienceSeconds = 10
    /// No page is as long.
    private static let bytesMax = 1 << 30

    /// - Parameter target: path and query.
    /// - Returns: the page; any answer but 200 is a failure.
    public static func page(
        _ target: String, at address: SocketAddress
    ) throws(Failure) -> String {
        let socket = try connected(to: address)
        defer { _ = apus_close(socket) }
        let request = "GET \(target) HTTP/1.0\r\nHost: localhost\r\n\r\n"
        let sent = Array(request.utf8).withUnsafeBytes {
            apus_send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == request.utf8.count else { throw noAnswer(address) }
        let answer = String(decoding: try received(socket, address), as: UTF8.self)
        // `answer` is ours to the letter, CRLF being one Character of Swift's.
        guard let end = answer.firstRange(of: "\r\n\r\n"), answer.hasPrefix("HTTP/1.") else {
            throw Failure(description: "what answers at \(address) is no admin server of Apus")
        }
        let body = String(answer[end.upperBound...])
        guard answer.prefix(12).hasSuffix(" 200") else {
            let said = body.split(separator: "\n").first ?? ""
            throw Failure(description: "the admin server at \(address) says: \(said)")
        }
        return body
    }

    /// So that it can stand in a query (RFC 3986 §2.1).
    public static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default:
                "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }.joined()
    }

    private static func connected(to address: SocketAddress) throws(Failure) -> Descriptor {
        var raw = address.raw
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = apus_socket(raw.family, type, 0)
        if let error = Errno(result: Int(socket)) {
            throw Failure(description: "no socket can be made: \(error)")
        }
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = apus_setsockopt(
                socket, SOL_SOCKET, option, &patience, UInt32(MemoryLayout<timeval>.size))
        }
        let result = apus_connect(socket, &raw.storage, raw.length)
        if let error = Errno(result: Int(result)) {
            _ = apus_close(socket)
            throw Failure(
                description: "no Apus answers at \(address): \(error). Say with --admin where it "
                    + "does: its log has the line 'admin server on …' (nowhere with --admin off)")
        }
        return socket
    }

    private static func received(
        _ socket: Descriptor, _ address: SocketAddress
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < bytesMax {
            let count = Int(apus_recv(socket, &piece, piece.count, 0))
            if count == 0 { return bytes }
            if count == -Int(EINTR) { continue }
            guard count > 0 else { throw noAnswer(address) }
            bytes += piece[..<count]
        }
        throw noAnswer(address)
    }

    private static func noAnswer(_ address: SocketAddress) -> Failure {
        Failure(description: "something listens at \(address), but gives no whole answer")
    }
}
