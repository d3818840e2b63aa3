import CLinux
import CSecure
import Kernel
import Primitives

/// TLS connections that carried one request and are silent from then on, to the program's end.
/// Owned by the main thread.
struct SecureIdle: ~Copyable {
    private static let requestBytes = 64

    private let terms = SecureTerms()
    private var loop = Loop(buffers: 64)
    private var streams: [SecureStream] = []

    init(port: UInt16, connections count: Int) {
        apus_ignore_broken_pipes()
        var request: [UInt8] = .init(repeating: 0x69, count: Self.requestBytes)
        for _ in 0..<count {
            let (stream, socket) = SecureStream.open(terms, &loop, to: port)
            request.withUnsafeMutableBytes {
                stream.roundTrip(on: socket, $0.baseAddress!, $0.count)
            }
            streams.append(stream)
        }
    }

    deinit {
        for stream in streams { stream.free() }
    }
}
