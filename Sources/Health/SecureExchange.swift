import TLS

/// What another exchange says, within TLS. Owned by an attempt.
final class SecureExchange: Exchange {
    private let inner: any Exchange
    private let desk: SecureDesk
    private let session: TLSSession
    private var isEstablished = false
    private var output: [UInt8] = []

    /// - Parameter session: made on the desk; it is freed with the exchange.
    init(_ inner: any Exchange, by session: TLSSession, _ desk: SecureDesk) {
        self.inner = inner
        self.desk = desk
        self.session = session
        _ = advance(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    deinit { session.free() }

    func takeOutput() -> [UInt8] {
        if isEstablished { encrypt(inner.takeOutput()) }
        defer { output = [] }
        return output
    }

    func sent() -> CheckOutcome? { isEstablished ? inner.sent() : nil }

    func receive(_ bytes: UnsafeRawBufferPointer) -> CheckOutcome? {
        if let outcome = advance(bytes) { return outcome }
        defer { collect() }
        while isEstablished {
            switch session.read(into: desk.plaintext) {
            case .bytes(let count):
                let read = UnsafeRawBufferPointer(rebasing: desk.plaintext[..<count])
                if let outcome = inner.receive(read) { return outcome }
            case .wantsInput: return nil
            case .ended: return inner.end()
            case .failed(let fault): return .failed(.tlsFailed(fault))
            }
        }
        return nil
    }

    func end() -> CheckOutcome {
        isEstablished ? inner.end() : .failed(.tlsFailed(TLSFault(.peerClosed)))
    }

    func expire() -> CheckOutcome? { isEstablished ? inner.expire() : nil }

    // MARK: - Steps

    /// A step of the handshake, where it is not done.
    private func advance(_ bytes: UnsafeRawBufferPointer) -> CheckOutcome? {
        desk.records.setInput(bytes)
        guard !isEstablished else { return nil }
        defer { collect() }
        switch session.handshake() {
        case .wantsInput: return nil
        case .done:
            isEstablished = true
            return nil
        case .failed(let fault): return .failed(.tlsFailed(fault))
        }
    }

    private func encrypt(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = rest.prefix(TLSSession.recordBytesMax)
                // What is broken is told by what comes of the endpoint.
                guard session.write(UnsafeRawBufferPointer(rebasing: part)) == nil else { break }
                rest = rest.dropFirst(part.count)
                collect()
            }
        }
    }

    private func collect() {
        output += desk.records.output
        desk.records.clearOutput()
    }
}
