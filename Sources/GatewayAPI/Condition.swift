import Manifest

/// A condition of the Gateway API: what became of an object, a listener, or a reference to a
/// parent.
public struct Condition: Hashable, Sendable {
    public enum Subject: Hashable, Sendable {
        case object(ObjectIdentity)
        case listener(ObjectIdentity, name: String)
        /// A route's `parentRefs[]` entry, as in `namespace/gateway/listener:port`.
        case parent(ObjectIdentity, ref: String)
        /// A policy's target.
        case ancestor(ObjectIdentity, ref: String)
    }

    public let subject: Subject
    public let type: String
    public let status: Bool
    public let reason: String
    public let message: String
    /// `metadata.generation` of the object that it was made from.
    public internal(set) var observedGeneration: Int64
}

extension Condition.Subject: CustomStringConvertible {
    public var description: String {
        switch self {
        case .object(let identity): "\(identity)"
        case .listener(let identity, let name): "\(identity) listener \(name)"
        case .parent(let identity, let ref): "\(identity) parent \(ref)"
        case .ancestor(let identity, let ref): "\(identity) target \(ref)"
        }
    }
}

extension Condition: CustomStringConvertible {
    public var description: String {
        let text = "\(subject): \(type)=\(status ? "True" : "False") \(reason)"
        return message.isEmpty ? text : "\(text): \(message)"
    }
}
