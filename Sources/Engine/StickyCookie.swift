import Routing
import Wire

/// The cookie that leads a client to the same endpoint from then on, for clients that have none
/// (BackendTrafficPolicy `consistentHash.cookie`): made ready of its plan. A value is a random
/// number, by which the endpoint is chosen as it will be when the client sends it back.
struct StickyCookie: Sendable {
    /// Before and behind the value.
    private let start: [UInt8]
    private let end: [UInt8]

    /// As the value: there is none.
    static let none: UInt64 = 0

    /// Nil where none is to be made.
    init?(_ key: LoadBalancerPlan.HashKey) {
        guard case .cookie(let name, let seconds?, let attributes) = key else { return nil }
        start = Array("set-cookie: \(name)=".utf8)
        // As Envoy's: without a time to live it is the browser's session's.
        var parts = seconds > 0 ? ["Max-Age=\(seconds)"] : []
        parts += attributes
        if !attributes.contains(where: { $0.lowercased() == "httponly" }) {
            parts.append("HttpOnly")
        }
        end = Array((parts.map { "; \($0)" }.joined() + "\r\n").utf8)
    }

    /// - Parameter random: any number.
    static func value(_ random: UInt64) -> UInt64 { random | 1 << 63 }

    /// What a request with this value will have.
    static func hash(_ value: UInt64) -> UInt64 { ConsistentHash.hash(Digits(value: value)) }

    func write(_ value: UInt64, to writer: inout HTTPHeadWriter) {
        start.withUnsafeBytes { writer.append($0) }
        writer.hexadecimal(value)
        end.withUnsafeBytes { writer.append($0) }
    }

    /// The 16 digits of a value, as they are written.
    private struct Digits: Sequence, IteratorProtocol {
        let value: UInt64
        var shift = 64

        init(value: UInt64) { self.value = value }

        mutating func next() -> UInt8? {
            guard shift > 0 else { return nil }
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
            return digit < 10 ? 0x30 + digit : 0x57 + digit
        }
    }
}
