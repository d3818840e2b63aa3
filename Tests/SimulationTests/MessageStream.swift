import Primitives
import SimulatedKernel
import TLS

/// One end of a connection that carries HTTP/1 messages: bytes that wait to be sent, and bytes that
/// wait to be understood. Owned by the actor that speaks through it.
final class MessageStream {
    /// How it deals with its socket. Drawn from the seed.
    struct Manner {
        var writeMax = 65_536
        var readMax = 65_536
        /// Parts in 1024 of the steps after which it rests for up to `restNanosecondsMax`.
        var restRate = 0
        var restNanosecondsMax = 1_000_000

        static func draw(_ random: inout SeededRandom) -> Manner {
            Manner(
                writeMax: [300, 1_000, 16_384, 65_536].randomElement(using: &random)!,
                readMax: [500, 4_096, 65_536].randomElement(using: &random)!,
                restRate: [0, 0, 50, 300].randomElement(using: &random)!,
                restNanosecondsMax: [10_000, 200_000, 5_000_000].randomElement(using: &random)!)
        }
    }

    let socket: StreamSocket
    let kernel: SimulatedKernel
    private let secure: SecureStream?
    private let manner: Manner
    private let act: () -> Void
    /// Received, and not yet understood.
    var inbox: [UInt8] = []
    private var outbox: [UInt8] = []
    private var outboxSent = 0
    private(set) var bytesMoved = 0
    /// How what it reads ended.
    private(set) var end: StreamActor.End?
    private(set) var isDone = false
    private(set) var didReset = false
    /// Reads nothing more.
    var isStalled = false
    private var isResting = false
    private var wantsEnd = false
    private(set) var isWriteShut = false

    /// - Parameter act: is called when something may have changed; it calls `read` and `write`.
    init(
        _ socket: StreamSocket, _ kernel: SimulatedKernel, _ manner: Manner,
        secure: SecureStream? = nil, act: @escaping () -> Void
    ) {
        (self.socket, self.kernel, self.manner) = (socket, kernel, manner)
        (self.secure, self.act) = (secure, act)
    }

    func begin() { socket.observe { [unowned self] in step() } }

    private func step() {
        guard !isDone, !isResting else { return }
        if socket.isRefused {
            end = .refused
            return close()
        }
        guard socket.isConnected else { return }
        act()
    }

    /// Whether there is something left to do now; it may just be resting.
    var isActive: Bool { !isDone && !isResting }
    var isFlushed: Bool { outboxSent == outbox.count && secure?.isEverythingSent != false }

    private func rest() {
        guard kernel.random(0...1023) < manner.restRate else { return }
        pause(kernel.random(1...manner.restNanosecondsMax))
    }

    /// Does nothing for so many nanoseconds.
    func pause(_ nanoseconds: Int) {
        isResting = true
        kernel.after(UInt64(nanoseconds)) { [weak self] in
            guard let self else { return }
            isResting = false
            step()
        }
    }

    /// Takes what is there, a piece of it at a time.
    /// - Returns: whether something came.
    func read() -> Bool {
        guard isActive, !isStalled, end == nil else { return false }
        let count = kernel.random(1...manner.readMax)
        switch secure?.read(count) ?? socket.read(count) {
        case .bytes(let bytes):
            inbox += bytes
            bytesMoved += bytes.count
            rest()
            return true
        case .nothingYet: return false
        case .end: end = .clean
        case .reset: end = .reset
        }
        return true
    }

    func send(_ bytes: [UInt8]) { outbox += bytes }

    func write() {
        while isActive, outboxSent < outbox.count {
            let count = min(kernel.random(1...manner.writeMax), outbox.count - outboxSent)
            let part = Array(outbox[outboxSent..<(outboxSent + count)])
            let sent = secure?.write(part) ?? socket.write(part)
            outboxSent += sent
            bytesMoved += sent
            if sent == 0 { return }
            rest()
        }
        guard wantsEnd, isActive, outboxSent == outbox.count else { return }
        if let secure {
            secure.shutdownWrite()
            isWriteShut = secure.isWriteShut
        } else if !isWriteShut {
            isWriteShut = true
            socket.shutdownWrite()
        }
    }

    /// The end of its stream follows what waits.
    func shutdownWrite() { wantsEnd = true }

    func close() {
        isDone = true
        socket.close()
    }

    func reset() {
        isDone = true
        didReset = true
        socket.reset()
    }
}
