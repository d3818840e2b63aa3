import Manifest
import Primitives

/// A Backend (gateway.envoyproxy.io/v1alpha1): endpoints outside of Kubernetes. Read from both of
/// its dialects and the same afterwards, whichever it was written in.
struct Backend: Sendable {
    let metadata: Metadata
    let endpoints: [Endpoint]
    /// `DynamicResolver` backends have no endpoints: the client's request names them.
    let isDynamicResolver: Bool
    let application: Located<Application>?
    let fallback: Fallback?
    /// Where `spec.tls` stands, if it does.
    let tls: SourcePlace?

    struct Endpoint: Sendable {
        enum Target: Hashable, Sendable {
            case address(SocketAddress)
            case name(String, port: UInt16)
        }

        let target: Target
        let place: SourcePlace
        let path: String
        /// `protocol: HTTPS` beside the address: TLS to the endpoint.
        let usesTLS: Bool
    }

    /// What is spoken with the endpoints (`spec.appProtocol`, `spec.appProtocols`).
    enum Application: String, Sendable, CaseIterable {
        case http, https, h2c, h2, grpc, grpcs, tcp, udp
        /// Only in `appProtocols`: HTTP/1.1 with an upgrade.
        case ws, wss

        var usesTLS: Bool { self == .https || self == .h2 || self == .grpcs || self == .wss }
    }

    enum Fallback: Sendable {
        /// This Backend is one: it serves when the others of its rule do not.
        case itself(SourcePlace)
        /// Another serves when this one does not.
        case other(kind: String, namespace: String, name: String, port: UInt16?, SourcePlace)

        var place: SourcePlace {
            switch self {
            case .itself(let place), .other(_, _, _, _, let place): place
            }
        }

        var isItself: Bool { if case .itself = self { true } else { false } }
    }
}
