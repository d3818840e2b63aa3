import Primitives
import Routing
import Wire

/// What is said with an endpoint in one check, as bytes: it knows no socket and no time. Owned by
/// an attempt.
protocol Exchange: AnyObject {
    /// What is to be sent now, once; empty when there is nothing.
    func takeOutput() -> [UInt8]
    /// All of the output was sent. More than once, perhaps.
    func sent() -> CheckOutcome?
    /// - Parameter bytes: of the stream as they came, or one whole datagram.
    func receive(_ bytes: UnsafeRawBufferPointer) -> CheckOutcome?
    /// The endpoint ended its stream.
    func end() -> CheckOutcome
    /// The time is over; nil when that is a failure like any other.
    func expire() -> CheckOutcome?
}

extension Exchange {
    func sent() -> CheckOutcome? { nil }
    func expire() -> CheckOutcome? { nil }
}

extension HealthCheck {
    /// What an endpoint may send before it is told that it is too much.
    static let answerBytesMax = 65_536

    var isDatagram: Bool {
        if case .udp = plan.probe { true } else { false }
    }

    /// Nothing is said and nothing heard: that the connection stands is enough.
    var isConnectOnly: Bool {
        guard case .tcp(let send, let expect) = plan.probe else { return false }
        return tls == nil && proxyHeader == .none && send.isEmpty && expect.isEmpty
    }

    /// The PROXY header of a connection that is made for no client (`proxy-protocol.txt` §2.1
    /// `UNKNOWN`, §2.2 `LOCAL`).
    var preface: [UInt8] {
        guard proxyHeader != .none else { return [] }
        return Array(unsafeUninitializedCapacity: ProxyHeaderWriter.bytesMax) { bytes, count in
            count = ProxyHeaderWriter(version: proxyHeader == .v1 ? .v1 : .v2).write(
                command: .local, source: .unspecified, destination: .unspecified,
                into: UnsafeMutableRawBufferPointer(bytes))
        }
    }

    /// - Returns: nil = out of memory.
    func exchange(_ desk: SecureDesk) -> (any Exchange)? {
        guard let tls else { return plainExchange() }
        return desk.session(tls, tlsName).map { SecureExchange(plainExchange(), by: $0, desk) }
    }

    private func plainExchange() -> any Exchange {
        switch plan.probe {
        case .tcp(let send, let expect): StreamExchange(send: send, expect: expect)
        case .udp(let send, let expect): DatagramExchange(send: send, expect: expect)
        case .http(let probe) where framing == .http2:
            HTTP2Session(
                HTTP2Request(probe, host: host), .http(HTTPExpectation(probe)))
        case .http(let probe): HTTP1Exchange(probe, host: host)
        case .grpc(let service):
            HTTP2Session(
                HTTP2Request(
                    healthOf: service, host: host, timeoutMilliseconds: plan.timeout),
                .grpc(GRPCAnswer()))
        }
    }
}

/// Bytes are sent, and others looked for in what comes (`healthCheck.active.tcp`).
final class StreamExchange: Exchange {
    private var output: [UInt8]
    private var search: ByteSearch
    private var received = 0

    init(send: [UInt8], expect: [UInt8]) {
        output = send
        search = ByteSearch(expect)
    }

    func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    func sent() -> CheckOutcome? { search.isFound ? .passed : nil }

    func receive(_ bytes: UnsafeRawBufferPointer) -> CheckOutcome? {
        search.read(bytes)
        received += bytes.count
        if search.isFound { return .passed }
        return received < HealthCheck.answerBytesMax
            ? nil : .failed(.answerTooLong(bytes: received))
    }

    func end() -> CheckOutcome { .failed(.closedEarly) }
}

/// One datagram is sent, and bytes looked for in each that comes. Where none are, any answer does,
/// and so does silence: nobody refused the datagram.
final class DatagramExchange: Exchange {
    private var output: [UInt8]
    private let expect: [UInt8]

    init(send: [UInt8], expect: [UInt8]) {
        output = send
        self.expect = expect
    }

    func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> CheckOutcome? {
        var search = ByteSearch(expect)
        search.read(bytes)
        return search.isFound ? .passed : nil
    }

    func end() -> CheckOutcome { preconditionFailure("datagrams have no end") }

    func expire() -> CheckOutcome? { expect.isEmpty ? .passed : nil }
}
