import Primitives
import SimulatedKernel
import TLS
import Wire

/// One end of a connection, a client or a backend, that follows its script and checks what it gets.
/// Owned by the simulation.
///
/// The first eight bytes that it sends are its number, from which the rest follows; so the other
/// end knows what must come without knowing beforehand who it is talking to.
final class StreamActor {
    enum End: Equatable {
        /// The other side's end of stream came, after whole bytes.
        case clean
        case reset
        case refused
    }

    let number: UInt64
    let script: StreamScript
    let socket: StreamSocket
    /// Nil where it speaks plainly.
    let secure: SecureStream?
    private let kernel: SimulatedKernel
    /// The other end's number, once it has come.
    private(set) var peerNumber: UInt64?
    private(set) var bytesSent = 0
    /// Without a PROXY header before them.
    private(set) var bytesReceived = 0
    /// How what it reads ended.
    private(set) var end: End?
    /// Nothing more will happen here.
    private(set) var isDone = false
    private(set) var didReset = false
    private(set) var doneTime: UInt64?
    /// What came and was not what was sent.
    private(set) var violations: [String] = []
    private var preambleSent = 0
    private var head: [UInt8] = []
    /// A PROXY header comes first.
    private var awaitsHeader: Bool
    /// Comes behind the header, if not empty.
    private var helloAwaited: [UInt8]
    private(set) var header: ProxyHeader?
    private var isResting = false
    private var isWriteShut = false

    init(
        _ script: StreamScript, number: UInt64, socket: StreamSocket, kernel: SimulatedKernel,
        awaitsHeader: Bool = false, helloAwaited: [UInt8] = [], client: TLSClient? = nil,
        server: TLSServer? = nil
    ) {
        self.script = script
        self.number = number
        self.socket = socket
        secure =
            client.map { SecureStream(over: socket, $0) }
            ?? server.map { SecureStream(over: socket, $0) }
        self.kernel = kernel
        self.awaitsHeader = awaitsHeader
        self.helloAwaited = helloAwaited
        socket.observe { [unowned self] in act() }
    }

    private func act() {
        guard !isDone, !isResting else { return }
        if socket.isRefused {
            end = .refused
            return finish()
        }
        guard socket.isConnected else { return }
        read()
        write()
        switch script.ending {
        case .resets(let after) where bytesSent + bytesReceived >= after:
            socket.reset()
            didReset = true
            isDone = true
        case .closes(let after) where bytesSent + bytesReceived >= after:
            finish()
        default:
            if end == .reset || (end == .clean && isWriteShut) { finish() }
        }
    }

    private func finish() {
        isDone = true
        doneTime = kernel.clock
        socket.close()
    }

    /// Sometimes it does nothing for a while.
    private var rests: Bool {
        guard kernel.random(0...1023) < script.restRate else { return false }
        isResting = true
        kernel.after(UInt64(kernel.random(1...script.restNanosecondsMax))) { [unowned self] in
            isResting = false
            act()
        }
        return true
    }

    // MARK: - Reading

    private func read() {
        while end == nil, !isResting {
            if case .stalls(let after) = script.ending, bytesReceived >= after { return }
            // The header has to go first.
            if secure != nil, preambleSent < script.preamble.count { return }
            let count = kernel.random(1...script.readMax)
            // A PROXY header comes in the clear.
            let isPlain = secure == nil || awaitsHeader
            switch isPlain ? socket.read(count) : secure?.read(count) ?? .nothingYet {
            case .bytes(let bytes): take(bytes)
            case .nothingYet: return
            case .end: end = .clean
            case .reset: end = .reset
            }
            if rests { return }
        }
    }

    private func take(_ bytes: [UInt8]) {
        guard !script.isDeaf else { return }
        guard peerNumber == nil else { return check(bytes) }
        head += bytes
        if awaitsHeader {
            switch head.withUnsafeBytes({ ProxyHeaderParser(bytesMax: 4_096).parse($0) }) {
            case .needMore: return
            case .match(let header, let length):
                self.header = header
                awaitsHeader = false
                head.removeFirst(length)
                if let secure {
                    secure.take(head)
                    head = []
                }
            case .noMatch, .malformed:
                violations.append("what came first is no PROXY header")
                awaitsHeader = false
            }
        }
        if !helloAwaited.isEmpty {
            guard head.count >= helloAwaited.count else { return }
            if !head.starts(with: helloAwaited) { violations.append("the hello was changed") }
            head.removeFirst(helloAwaited.count)
            helloAwaited = []
        }
        guard head.count >= 8 else { return }
        peerNumber = head.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        bytesReceived = 8
        check(Array(head.dropFirst(8)))
    }

    private func check(_ bytes: [UInt8]) {
        guard let peerNumber else { return }
        let isRight = bytes.withUnsafeBytes {
            BytePattern.matches($0, sender: peerNumber, from: bytesReceived)
        }
        if !isRight {
            violations.append(
                "other bytes than were sent, between \(bytesReceived) and +\(bytes.count)")
        }
        bytesReceived += bytes.count
    }

    // MARK: - Writing

    private func write() {
        if secure != nil, awaitsHeader { return }
        let preamble = script.preamble + script.hello
        while preambleSent < preamble.count, !isResting {
            let count = min(kernel.random(1...script.writeMax), preamble.count - preambleSent)
            let sent = socket.write(Array(preamble[preambleSent..<(preambleSent + count)]))
            preambleSent += sent
            if sent < count || rests { return }
        }
        if script.ending == .answersWhenAsked, end == nil { return }
        while bytesSent < script.bytesToSend, !isResting {
            let count = min(kernel.random(1...script.writeMax), script.bytesToSend - bytesSent)
            let sent = bytesSent < 8 ? writeNumber() : writePattern(count)
            bytesSent += sent
            if sent == 0 || rests { return }
        }
        guard bytesSent == script.bytesToSend, !isWriteShut, !isResting else { return }
        switch script.ending {
        case .halfClose, .answersWhenAsked:
            shutWrite()
        case .cutsOff where secure?.isEverythingSent != false:
            isWriteShut = true
            socket.shutdownWrite()
        case .garbles where secure?.isEverythingSent != false:
            if !isWriteShut { _ = socket.write(Array("this is no record".utf8)) }
            isWriteShut = true
        case .cutsOff, .garbles: break
        case .resets, .closes, .stalls, .lingers: break
        }
    }

    private func shutWrite() {
        if let secure {
            secure.shutdownWrite()
            isWriteShut = secure.isWriteShut
        } else {
            isWriteShut = true
            socket.shutdownWrite()
        }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        secure?.write(Array(bytes)) ?? socket.write(bytes)
    }

    private func writeNumber() -> Int {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
        return bytes[bytesSent...].withUnsafeBytes { send($0) }
    }

    private func writePattern(_ count: Int) -> Int {
        BytePattern.with(number, from: bytesSent, count: count) { send($0) }
    }
}
