import Primitives
import SimulatedKernel

/// UDP clients and the backends that answer them: each datagram says who sent it, which one it is
/// and how long it must be. Owned by the simulation.
final class DatagramClient {
    let peer: DatagramPeer
    let number: UInt32
    private let kernel: SimulatedKernel
    private let listener: SocketAddress
    private let countMax: Int
    private let sizeMax: Int
    private(set) var sent = 0
    private(set) var answered = 0
    private(set) var violations: [String] = []

    init(
        number: UInt32, kernel: SimulatedKernel, address: SocketAddress, listener: SocketAddress,
        countMax: Int, sizeMax: Int
    ) {
        self.number = number
        self.kernel = kernel
        self.listener = listener
        self.countMax = countMax
        self.sizeMax = sizeMax
        peer = kernel.datagramPeer(at: address)
        peer.onDatagram = { [unowned self] bytes, source in
            answered += 1
            guard source == listener else {
                return violations.append("an answer from \(source), not from \(listener)")
            }
            if let flaw = DatagramText.flaw(bytes, sender: number) { violations.append(flaw) }
        }
        kernel.after(UInt64(kernel.random(0...5_000_000))) { [unowned self] in send() }
    }

    private func send() {
        guard sent < countMax else { return }
        let size = kernel.random(DatagramText.bytesMin...sizeMax)
        let burst = min(countMax - sent, [1, 1, 4, 12][kernel.random(0...3)], 60_000 / size)
        var bytes: [UInt8] = []
        for _ in 0..<max(burst, 1) {
            bytes += DatagramText.make(sender: number, place: UInt32(sent), count: size)
            sent += 1
        }
        peer.send(bytes, to: listener, segmentSize: burst > 1 ? size : nil)
        kernel.after(UInt64(kernel.random(0...3_000_000))) { [unowned self] in send() }
    }
}

enum DatagramText {
    static let bytesMin = 12

    static func make(sender: UInt32, place: UInt32, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for word in [sender, place, UInt32(count)] {
            withUnsafeBytes(of: word.bigEndian) { bytes += $0 }
        }
        BytePattern.with(UInt64(sender), from: Int(place), count: count - bytesMin) { bytes += $0 }
        return bytes
    }

    /// What is wrong with a datagram of a sender; nil when it is just as it was made.
    static func flaw(_ bytes: [UInt8], sender: UInt32?) -> String? {
        guard bytes.count >= bytesMin else { return "a datagram of \(bytes.count) bytes" }
        func word(_ place: Int) -> UInt32 {
            bytes[(4 * place)..<(4 * place + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        }
        if let sender, word(0) != sender { return "a datagram of client \(word(0)) for \(sender)" }
        guard make(sender: word(0), place: word(1), count: Int(word(2))) == bytes else {
            return
                "datagram \(word(1)) of \(word(0)) came with \(bytes.count) bytes, not \(word(2))"
        }
        return nil
    }
}

/// Answers each datagram with itself.
final class DatagramEcho {
    let peer: DatagramPeer
    private(set) var received = 0
    private(set) var violations: [String] = []

    init(kernel: SimulatedKernel, address: SocketAddress) {
        peer = kernel.datagramPeer(at: address)
        peer.onDatagram = { [unowned self] bytes, source in
            received += 1
            if let flaw = DatagramText.flaw(bytes, sender: nil) { violations.append(flaw) }
            peer.send(bytes, to: source)
        }
    }
}
