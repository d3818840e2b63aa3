import Primitives
import Wire

/// One target of a service (RFC 2782).
public struct ServiceRecord: Hashable, Sendable {
    public let priority: UInt16
    public let weight: UInt16
    public let port: UInt16
    public let target: DNSName

    public init(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// What the records of one name and type say.
public enum RecordData: Hashable, Sendable {
    /// Sorted, each once: servers turn the order about, and that is no change.
    case addresses([IPAddress])
    /// Sorted by priority, then by target and port. Empty: the service is decidedly not available
    /// (RFC 2782, a target of `.`).
    case services([ServiceRecord])
}

/// What came of a question: a fact, or a failure to learn one.
public enum Answer: Hashable, Sendable {
    case found(RecordData, ttl: UInt32)
    /// The name does not exist, or has no such record; `ttl` is how long that holds, where the
    /// zone said it (RFC 2308 §5).
    case absent(isNameMissing: Bool, ttl: UInt32?)
    case failed(LookupFailure)
}
