import Primitives
import Routing

@testable import TLS

/// One end of a connection in memory: a session, its exchange, and what lies before it.
struct ConversationEnd: ~Copyable {
    var exchange: RecordExchange
    let session: TLSSession
    var inbox: [UInt8] = []
    /// Bytes that one step is shown at most.
    var piece = Int.max
    /// Whether some step wrote more than its room.
    private(set) var stepsOut = 0

    init(outputBytes: Int = 98_304, _ make: (borrowing RecordExchange) -> TLSSession?) {
        exchange = RecordExchange(outputBytes: outputBytes)
        guard let session = make(exchange) else { fatalError("no session") }
        self.session = session
    }

    deinit { session.free() }

    /// One step over the next piece of the inbox; what it wrote is added to `outbox`.
    mutating func step<Result>(
        into outbox: inout [UInt8], _ body: (TLSSession) -> Result
    ) -> Result {
        let count = min(piece, inbox.count)
        let result = inbox.withUnsafeBytes { bytes in
            exchange.setInput(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)))
            let result = body(session)
            return (result, count - exchange.inputLeft)
        }
        inbox.removeFirst(result.1)
        outbox += exchange.output
        exchange.clearOutput()
        stepsOut += 1
        return result.0
    }
}

/// A client and a server that talk in memory.
final class Conversation {
    var client: ConversationEnd
    var server: ConversationEnd
    private(set) var clientProgress = TLSSession.Progress.wantsInput
    private(set) var serverProgress = TLSSession.Progress.wantsInput

    init(
        _ clients: TLSClient, _ servers: TLSServer, name: String? = "a.example",
        serverName: String? = nil, outputBytes: Int = 98_304
    ) {
        client = ConversationEnd(outputBytes: outputBytes) {
            clients.connect(endpointName: name, on: $0)
        }
        let asked = Array((serverName ?? name ?? "").utf8)
        server = ConversationEnd(outputBytes: outputBytes) { exchange in
            asked.withUnsafeBytes {
                servers.accept(serverName: asked.isEmpty ? nil : $0, on: exchange)
            }
        }
    }

    /// Until both are done, one failed and the other knows it, or nothing moves any more.
    func shakeHands() {
        for _ in 0..<100_000 {
            let before = (client.inbox.count, server.inbox.count)
            if case .wantsInput = clientProgress {
                clientProgress = client.step(into: &server.inbox) { $0.handshake() }
            }
            if case .wantsInput = serverProgress {
                serverProgress = server.step(into: &client.inbox) { $0.handshake() }
            }
            guard isShaking || before != (client.inbox.count, server.inbox.count) else { return }
            if !client.moves(clientProgress), !server.moves(serverProgress) { return }
        }
    }

    private var isShaking: Bool {
        if case .wantsInput = clientProgress { return true }
        if case .wantsInput = serverProgress { return true }
        return false
    }

    var isEstablished: Bool {
        if case .done = clientProgress, case .done = serverProgress { return true }
        return false
    }

    var clientFault: TLSFault? {
        if case .failed(let fault) = clientProgress { fault } else { nil }
    }

    var serverFault: TLSFault? {
        if case .failed(let fault) = serverProgress { fault } else { nil }
    }

    /// What one end reads of all that the other wrote so far.
    func readClient() -> (bytes: [UInt8], end: TLSSession.Reading) {
        client.readAll(into: &server.inbox)
    }

    func readServer() -> (bytes: [UInt8], end: TLSSession.Reading) {
        server.readAll(into: &client.inbox)
    }

    func writeClient(
        _ bytes: [UInt8], recordBytesMax: Int = TLSSession.recordBytesMax
    ) -> TLSFault? {
        client.write(bytes, recordBytesMax, into: &server.inbox)
    }

    func writeServer(
        _ bytes: [UInt8], recordBytesMax: Int = TLSSession.recordBytesMax
    ) -> TLSFault? {
        server.write(bytes, recordBytesMax, into: &client.inbox)
    }
}

extension ConversationEnd {
    fileprivate func moves(_ progress: TLSSession.Progress) -> Bool {
        if case .wantsInput = progress { return !inbox.isEmpty }
        return false
    }

    mutating func readAll(
        into outbox: inout [UInt8]
    ) -> (bytes: [UInt8], end: TLSSession.Reading) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: TLSSession.recordBytesMax)
        while true {
            let reading = buffer.withUnsafeMutableBytes { room in
                step(into: &outbox) { $0.read(into: room) }
            }
            switch reading {
            case .bytes(let count): bytes += buffer.prefix(count)
            case .wantsInput where !inbox.isEmpty: continue
            default: return (bytes, reading)
            }
        }
    }

    mutating func write(
        _ bytes: [UInt8], _ recordBytesMax: Int, into outbox: inout [UInt8]
    ) -> TLSFault? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(65_536))
            let fault = step(into: &outbox) { session in
                part.withUnsafeBytes { session.write($0, recordBytesMax: recordBytesMax) }
            }
            if let fault { return fault }
            rest = rest.dropFirst(part.count)
        }
        return nil
    }
}

/// Plans of the tests: what they have in common.
enum TestPlans {
    static let usual = TestAuthority.usual.issue(["DNS:a.example", "DNS:*.wild.example"])
    static let tickets = TicketKeys(nowSeconds: 0)

    static func server(
        _ certificates: [CertificatePlan]? = nil,
        _ change: (inout TLSTerminationPlan) -> Void = { _ in }
    ) throws -> TLSServer {
        var plan = TLSTerminationPlan()
        plan.certificates = certificates ?? [usual.plan()]
        change(&plan)
        return try TLSServer(plan, tickets: tickets)
    }

    static func client(
        _ change: (inout UpstreamTLSPlan) -> Void = { _ in }
    ) throws -> TLSClient {
        var plan = UpstreamTLSPlan(trust: .authorities([TestAuthority.usual.pem]))
        change(&plan)
        return try TLSClient(plan)
    }
}
