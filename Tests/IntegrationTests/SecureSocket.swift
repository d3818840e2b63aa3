import TLS
import Traffic

/// A client of TLS over a blocking socket, with the sessions of the module itself. Used by one
/// thread; closed with its last reference.
final class SecureSocket {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let socket: Socket
    private let session: TLSSession
    private var exchange = RecordExchange(outputBytes: 131_072)
    private let received = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    private var plaintext: [UInt8] = []
    private var isEnded = false

    /// With the handshake.
    init(_ client: TLSClient, name: String, over socket: Socket) throws {
        self.socket = socket
        guard let session = client.connect(endpointName: name, on: exchange) else {
            throw Failure(description: "no session")
        }
        self.session = session
        while true {
            let progress = session.handshake()
            try flush()
            switch progress {
            case .done: return
            case .wantsInput: guard try receive() else { throw Failure(description: "cut off") }
            case .failed(let fault): throw Failure(description: "handshake: \(fault)")
            }
        }
    }

    deinit {
        session.free()
        received.deallocate()
    }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(65_536))
            rest = rest.dropFirst(part.count)
            if let fault = part.withUnsafeBytes({ session.write($0) }) {
                throw Failure(description: "write: \(fault)")
            }
            try flush()
        }
    }

    /// Exactly so many bytes, or fewer when the stream ends before.
    func read(exactly count: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: TLSSession.recordBytesMax)
        while plaintext.count < count, !isEnded {
            switch buffer.withUnsafeMutableBytes({ session.read(into: $0) }) {
            case .bytes(let count): plaintext += buffer.prefix(count)
            case .wantsInput: guard try receive() else { throw Failure(description: "cut off") }
            case .ended: isEnded = true
            case .failed(let fault): throw Failure(description: "read: \(fault)")
            }
        }
        defer { plaintext.removeFirst(min(count, plaintext.count)) }
        return Array(plaintext.prefix(count))
    }

    /// Says the end, and waits for the peer's.
    func end() throws {
        session.sendClose()
        try flush()
        try socket.shutdownWrite()
        guard try read(exactly: 1).isEmpty else { throw Failure(description: "more came") }
    }

    private func flush() throws {
        try socket.write(exchange.output)
        exchange.clearOutput()
    }

    /// False = the socket's end, without close_notify.
    private func receive() throws -> Bool {
        precondition(exchange.inputLeft == 0)
        let count = try socket.read(into: received)
        exchange.setInput(UnsafeRawBufferPointer(rebasing: received[..<count]))
        return count > 0
    }
}
