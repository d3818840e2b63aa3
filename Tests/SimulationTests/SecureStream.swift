import Primitives
import Routing
import SimulatedKernel
import TLS

/// TLS over a simulated socket, with the calls of the socket itself: what an actor writes leaves as
/// records, and what it reads is what was in them. Owned by the actor.
final class SecureStream {
    private let socket: StreamSocket
    private let session: TLSSession
    private var exchange = RecordExchange(outputBytes: 65_536)
    private var isHandshakeDone = false
    private var outgoing: [UInt8] = []
    private var plaintext: [UInt8] = []
    /// How what it reads ended; told when all before it has been read.
    private var end: StreamSocket.Reading?
    private var isClosing = false

    /// - Parameter client: trusts anybody; who is believed is no question of the simulation.
    init(over socket: StreamSocket, _ client: TLSClient) {
        self.socket = socket
        guard let session = client.connect(endpointName: "a.example.com", on: exchange) else {
            fatalError("no memory for a session")
        }
        self.session = session
    }

    init(over socket: StreamSocket, _ server: TLSServer) {
        self.socket = socket
        guard let session = server.accept(serverName: nil, on: exchange) else {
            fatalError("no memory for a session")
        }
        self.session = session
    }

    deinit { session.free() }

    /// Whether everything has been handed to the socket, the end too.
    private(set) var isWriteShut = false

    /// What was written has left, every byte of it.
    var isEverythingSent: Bool { outgoing.isEmpty }

    /// Plaintext of each record that came, the first ones.
    private(set) var recordsRead: [Int] = []

    // MARK: - As a socket

    /// - Returns: the bytes that were taken; 0 = none for now.
    func write(_ bytes: [UInt8]) -> Int {
        advance()
        guard isHandshakeDone, outgoing.isEmpty, !isClosing, !bytes.isEmpty else { return 0 }
        let part = bytes.prefix(TLSSession.recordBytesMax)
        let fault = Array(part).withUnsafeBytes { session.write($0) }
        guard fault == nil else { return 0 }
        flush()
        return part.count
    }

    func read(_ countMax: Int) -> StreamSocket.Reading {
        advance()
        guard !plaintext.isEmpty else { return end ?? .nothingYet }
        let part = Array(plaintext.prefix(countMax))
        plaintext.removeFirst(part.count)
        return .bytes(part)
    }

    /// Says that nothing more comes; `isWriteShut` tells when that has left.
    func shutdownWrite() {
        if !isClosing, isHandshakeDone {
            isClosing = true
            session.sendClose()
        }
        flush()
    }

    // MARK: - Steps

    private func advance() {
        flush()
        if !isHandshakeDone { step() }
        while end == nil {
            switch socket.read(16_384) {
            case .bytes(let bytes): take(bytes)
            case .nothingYet: return
            // An end without close_notify may have been anybody's.
            case .end, .reset: end = .reset
            }
        }
    }

    /// Bytes that somebody else has read of the socket.
    func take(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { raw in
            exchange.setInput(raw)
            if !isHandshakeDone { step() }
            guard isHandshakeDone else { return }
            withUnsafeTemporaryAllocation(
                byteCount: TLSSession.recordBytesMax, alignment: 1
            ) { buffer in
                while end == nil {
                    switch session.read(into: buffer) {
                    case .bytes(let count):
                        plaintext += buffer[..<count]
                        if recordsRead.count < 1_000 { recordsRead.append(count) }
                    case .wantsInput: return
                    case .ended: end = .end
                    case .failed: end = .reset
                    }
                }
            }
        }
        flush()
    }

    private func step() {
        switch session.handshake() {
        case .wantsInput: break
        case .done: isHandshakeDone = true
        case .failed: end = .reset
        }
        flush()
    }

    private func flush() {
        outgoing += exchange.output
        exchange.clearOutput()
        if !outgoing.isEmpty { outgoing.removeFirst(socket.write(outgoing)) }
        guard isClosing, outgoing.isEmpty, !isWriteShut else { return }
        isWriteShut = true
        socket.shutdownWrite()
    }
}
