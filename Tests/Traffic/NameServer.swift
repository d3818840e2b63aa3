import Primitives
import Synchronization

/// A name server that answers as a test says, by UDP and TCP on one port.
public final class NameServer: Sendable {
    public struct Question: Hashable, Sendable {
        public let id: UInt16
        public let name: String
        public let type: UInt16
        /// There are additional records: EDNS.
        public let hasExtension: Bool
        public let isByTCP: Bool

        /// An empty answer to this question, with an OPT record if that has one (RFC 6891 §6.1.1);
        /// what else it has is for the test to say.
        public var answer: DNSBytes {
            var answer = DNSBytes(name, type)
            answer.id = id
            if hasExtension { answer.additionals = [DNSBytes.Record("", 41, 0, [])] }
            return answer
        }
    }

    public let address: SocketAddress
    private let datagrams: DatagramServer
    private let streams: StreamServer
    private let asked = Asked()

    private final class Asked: Sendable {
        let questions = Mutex<[Question]>([])
    }

    /// - Parameter answer: the messages to send, as bytes; none is silence.
    public init(
        on address: IPAddress = .loopbackIPv4,
        answer: @escaping @Sendable (Question) -> [[UInt8]]
    ) throws {
        let asked = asked
        let (datagrams, streams) = try Self.pair(on: address) { bytes, isByTCP in
            let question = Self.question(bytes, isByTCP: isByTCP)
            guard let question else { return [] }
            asked.questions.withLock { $0.append(question) }
            return answer(question)
        }
        self.datagrams = datagrams
        self.streams = streams
        self.address = datagrams.address
    }

    public var questions: [Question] { asked.questions.withLock { $0 } }
    /// Addresses and ports that datagrams came from.
    public var sources: Set<String> { datagrams.sources }

    public func stop() throws {
        try datagrams.stop()
        streams.halt()
    }

    // MARK: - Sockets

    private static func pair(
        on address: IPAddress, answer: @escaping @Sendable ([UInt8], Bool) -> [[UInt8]]
    ) throws -> (DatagramServer, StreamServer) {
        var failure: (any Error)?
        // The port that UDP was given may be taken for TCP.
        for _ in 0..<20 {
            let datagrams = try DatagramServer(on: .ip(address, port: 0)) { answer($0, false) }
            do {
                let streams = try StreamServer(on: datagrams.address) { try serve($0, answer) }
                return (datagrams, streams)
            } catch {
                failure = error
                try datagrams.stop()
            }
        }
        throw failure ?? SocketFailure(call: "bind", errno: Errno(rawValue: 98))
    }

    /// One question a connection (RFC 1035 §4.2.2).
    private static func serve(
        _ socket: Socket, _ answer: ([UInt8], Bool) -> [[UInt8]]
    ) throws {
        let head = try socket.read(exactly: 2)
        let question = try socket.read(exactly: Int(head[0]) << 8 | Int(head[1]))
        for message in answer(question, true) {
            try socket.write(DNSBytes.bigEndian(UInt16(message.count)) + message)
        }
    }

    /// Nil for what is no question, as the datagram that wakes the server at its end.
    private static func question(_ bytes: [UInt8], isByTCP: Bool) -> Question? {
        guard bytes.count > 16 else { return nil }
        var labels: [String] = []
        var offset = 12
        while bytes[offset] != 0 {
            let end = offset + 1 + Int(bytes[offset])
            labels.append(String(decoding: bytes[offset + 1..<end], as: UTF8.self))
            offset = end
        }
        return Question(
            id: UInt16(bytes[0]) << 8 | UInt16(bytes[1]),
            name: labels.joined(separator: "."),
            type: UInt16(bytes[offset + 1]) << 8 | UInt16(bytes[offset + 2]),
            hasExtension: bytes[11] > 0, isByTCP: isByTCP)
    }
}
