import Routing
import TLS

/// What a peer may send to a TLS session, under libFuzzer. The first byte says who is fuzzed and
/// when (`Scene`), the second how what it gets is cut; the rest are the bytes that it gets, or
/// changes of those that a real peer sends. Nobody who has no keys may end a handshake, have
/// anything read or end a stream; what is read is what was written; a session that has failed stays
/// so. A broken promise traps, which is the finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTLSInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    guard bytes.count >= 2 else { return 0 }
    let scene = Scene(bytes[0], piece: Int(bytes[1]) + 1)
    let rest = Array(bytes[2...])
    let (left, right) = scene.ends()
    switch scene.kind {
    case .rawBefore: left.take(rest, handshake: true, expectsNothing: true)
    case .changedBefore: changeHandshake(left, right, Changes(rest))
    case .rawAfter:
        shakeHands(left, right, nil)
        left.take(rest, handshake: false, expectsNothing: true)
    case .changedAfter:
        shakeHands(left, right, nil)
        changeRecords(left, right, Changes(rest))
    }
    return 0
}

/// A handshake whose peer's bytes are changed: it may come to nothing, but where both ends are done
/// they understand each other.
private func changeHandshake(_ left: End, _ right: End, _ changes: Changes) {
    shakeHands(left, right, changes)
    precondition(!changes.isEmpty || left.isDone && right.isDone, "nothing was changed")
    // A finished server may wait in vain for the client's last flight.
    if left.isDone, right.isDone {
        right.write(End.message)
        left.take(right.takeOutbox(), handshake: false, expectsNothing: false)
        precondition(left.received == End.message || left.isFailed, "they have the same keys")
    }
}

/// Records that are changed are not read, nor anything behind them.
private func changeRecords(_ left: End, _ right: End, _ changes: Changes) {
    for _ in 0..<3 { right.write(End.message) }
    right.close()
    let sent = right.takeOutbox()
    left.take(changes.applied(to: sent, from: 0), handshake: false, expectsNothing: false)
    let whole = End.message + End.message + End.message
    precondition(whole.starts(with: left.received), "what is read was written")
    if changes.isEmpty { precondition(left.received == whole && left.isEnded) }
    if left.isEnded { precondition(left.received == whole, "nothing was cut off") }
}

private func shakeHands(_ left: End, _ right: End, _ changes: Changes?) {
    var place = 0
    for _ in 0..<10 {
        left.take([], handshake: true, expectsNothing: false)
        right.take(left.takeOutbox(), handshake: true, expectsNothing: false)
        let sent = right.takeOutbox()
        left.take(
            changes?.applied(to: sent, from: place) ?? sent, handshake: true, expectsNothing: false)
        place += sent.count
    }
    if changes == nil { precondition(left.isDone && right.isDone, "an honest handshake succeeds") }
}

private struct Scene {
    enum Kind: UInt8 { case rawBefore, changedBefore, rawAfter, changedAfter }

    let kind: Kind
    let isClient: Bool
    let isOld: Bool
    let piece: Int

    init(_ byte: UInt8, piece: Int) {
        kind = Kind(rawValue: byte & 3) ?? .rawBefore
        isClient = byte & 4 != 0
        isOld = byte & 8 != 0
        self.piece = piece
    }

    /// Who is fuzzed, and its peer.
    func ends() -> (End, End) {
        let parties = isOld ? Parties.old : Parties.new
        let client = End(piece: isClient ? piece : .max) {
            parties.client.connect(endpointName: "a.example", on: $0)
        }
        let server = End(piece: isClient ? .max : piece) {
            parties.server.accept(serverName: nil, on: $0)
        }
        return isClient ? (client, server) : (server, client)
    }
}

/// Changes of a stream, three bytes each: the place, and what is added there without carry.
private struct Changes {
    private var list: [(place: Int, value: UInt8)] = []

    init(_ bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count - 2, by: 3) where bytes[start + 2] != 0 {
            list.append((Int(bytes[start]) << 8 | Int(bytes[start + 1]), bytes[start + 2]))
        }
        // Two of one place may undo each other.
        list = list.reduce(into: []) { kept, change in
            if !kept.contains(where: { $0.place == change.place }) { kept.append(change) }
        }
    }

    var isEmpty: Bool { list.isEmpty }

    /// - Parameter offset: of `bytes` in the stream.
    func applied(to bytes: [UInt8], from offset: Int) -> [UInt8] {
        var bytes = bytes
        for (place, value) in list where bytes.indices.contains(place - offset) {
            bytes[place - offset] ^= value
        }
        return bytes
    }
}

/// One end of a connection in memory.
private final class End {
    static let message = (0..<3_000).map { UInt8(truncatingIfNeeded: $0) }

    private var exchange = RecordExchange(outputBytes: 65_536)
    private let session: TLSSession
    private let piece: Int
    private var outbox: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: TLSSession.recordBytesMax)
    private(set) var received: [UInt8] = []
    private(set) var isDone = false
    private(set) var isEnded = false
    private(set) var isFailed = false

    init(piece: Int, _ make: (borrowing RecordExchange) -> TLSSession?) {
        guard let session = make(exchange) else { fatalError("no memory for a session") }
        (self.session, self.piece) = (session, piece)
    }

    deinit { session.free() }

    func takeOutbox() -> [UInt8] {
        defer { outbox = [] }
        return outbox
    }

    func write(_ bytes: [UInt8]) {
        let fault = bytes.withUnsafeBytes { session.write($0, recordBytesMax: 1_000) }
        precondition(fault == nil || isFailed)
        flush()
    }

    func close() {
        session.sendClose()
        flush()
    }

    private func flush() {
        outbox += exchange.output
        exchange.clearOutput()
    }

    /// - Parameters:
    ///   - handshake: it is not to be over with these bytes if `expectsNothing`; else records are
    ///     read.
    func take(_ bytes: [UInt8], handshake: Bool, expectsNothing: Bool) {
        var rest = bytes[...]
        repeat {
            let part = Array(rest.prefix(piece))
            rest = rest.dropFirst(part.count)
            part.withUnsafeBytes { raw in
                exchange.setInput(raw)
                step(handshake: handshake)
                precondition(isFailed || isDone || exchange.inputLeft == 0, "all is read")
            }
            flush()
            precondition(!expectsNothing || (handshake ? !isDone : received.isEmpty && !isEnded))
        } while !rest.isEmpty
    }

    private func step(handshake: Bool) {
        if handshake, !isDone {
            switch session.handshake() {
            case .done:
                precondition(!isFailed, "what has failed stays so")
                isDone = true
            case .wantsInput: precondition(!isFailed, "what has failed stays so")
            case .failed(let fault):
                isFailed = true
                precondition(!"\(fault)".isEmpty)
            }
        }
        guard isDone else { return }
        buffer.withUnsafeMutableBytes { room in
            while !isEnded {
                switch session.read(into: room) {
                case .bytes(let count):
                    precondition(!isFailed, "what has failed stays so")
                    received += room[..<count]
                case .wantsInput: return
                case .ended: isEnded = true
                case .failed:
                    isFailed = true
                    return
                }
            }
        }
    }
}

/// What sessions are made of, once for the process.
private struct Parties {
    let server: TLSServer
    let client: TLSClient

    static let new = Parties(.v1_3)
    static let old = Parties(.v1_2)

    private init(_ version: TLSSettings.Version) {
        var plan = TLSTerminationPlan()
        plan.certificates = [CertificatePlan(name: "default/a", chain: chain, key: key)]
        plan.settings.versionMax = version
        do throws(TLSConfigurationFault) {
            server = try TLSServer(
                plan, tickets: TicketKeys(nowSeconds: 0), alpnDefault: ["h2", "http/1.1"])
            client = try TLSClient(
                UpstreamTLSPlan(trust: .authorities([chain]), alpnProtocols: ["h2"]))
        } catch {
            fatalError("\(error)")
        }
    }
}

private let chain = """
    -----BEGIN CERTIFICATE-----
    MIIBlTCCATugAwIBAgIULLW59rHYHGbPevNjeHIY2fvV3vowCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJYS5leGFtcGxlMCAXDTI2MTEyNDA0MDIzM1oYDzIxMjYxMDMx
    MDQwMjMzWjAUMRIwEAYDVQQDDAlhLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAARbE85atpgZNLi3bmdXPJeDXmIuEljExU/c8ZOrRTB12zn7IQuQuLUf
    9WM0vsC/+vmuzmYO1cTsPJfKuJ+Qun8Vo2kwZzAdBgNVHQ4EFgQULibl4c47RkFW
    jSphUSMNFgIx3pAwHwYDVR0jBBgwFoAULibl4c47RkFWjSphUSMNFgIx3pAwDwYD
    VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglhLmV4YW1wbGUwCgYIKoZIzj0EAwID
    SAAwRQIgHTi0A9LcqaqSduXlMz0yRdR2taRZSTAxF322x+NG1lkCIQDpvM4RDHHK
    iShvRKE4+uJm5dPYPKxPsn17giGHfOglaw==
    -----END CERTIFICATE-----
    """

private let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2YIurn5GOYqcLGGN
    bhBn0OeqZcCDzVEd5/mUBDODIdihRANCAARbE85atpgZNLi3bmdXPJeDXmIuEljE
    xU/c8ZOrRTB12zn7IQuQuLUf9WM0vsC/+vmuzmYO1cTsPJfKuJ+Qun8V
    -----END PRIVATE KEY-----
    """
