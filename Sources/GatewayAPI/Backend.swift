import Manifest
import Primitives
import Routing

/// A Backend (gateway.envoyproxy.io/v1alpha1): endpoints outside of Kubernetes. Read from both of
/// its dialects and the same afterwards, whichever it was written in.
final class Backend: Sendable {
    let metadata: Metadata
    let endpoints: [Endpoint]
    /// `DynamicResolver` backends have no endpoints: the client's request names them.
    let isDynamicResolver: Bool
    let application: Located<Application>?
    let fallback: Fallback?
    let tls: TLS?
    let dialect: Dialect

    /// What a document was written in; only for messages.
    enum Dialect: String, Sendable { case seed, v1alpha1, neutral }

    struct Endpoint: Sendable {
        let target: EndpointPlan.Target
        let hostname: String?
        let zone: String?
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

        var framing: ClusterPlan.Framing {
            switch self {
            case .http, .https: .http1
            case .h2c, .h2, .grpc, .grpcs: .http2
            case .ws, .wss: .websocket
            case .tcp, .udp: .opaque
            }
        }

        /// What TLS offers (RFC 7301).
        var alpnProtocols: [String] {
            switch framing {
            case .http1, .websocket: ["http/1.1"]
            case .http2: ["h2"]
            case .opaque: []
            }
        }
    }

    enum Fallback: Equatable, Sendable {
        /// This Backend is one: it serves when the others of its rule do not.
        case itself(SourcePlace)
        /// Another serves when this one does not.
        case other(ObjectReference, port: UInt16?)

        var isItself: Bool { if case .itself = self { true } else { false } }
    }

    /// `spec.tls`.
    struct TLS: Equatable, Sendable {
        let place: SourcePlace
        let skipsVerification: Bool
        let authorities: [ObjectReference]
        let trustsSystem: Bool
        let serverName: String?
        let namesFromEndpoints: Bool
        let clientCertificate: ObjectReference?
        let alpnProtocols: [String]
        let settings: TLSSettings
    }

    init(metadata: Metadata, spec: Fields) {
        self.metadata = metadata
        isDynamicResolver = spec.text("type")?.value == "DynamicResolver"
        endpoints = spec.mappings("endpoints").compactMap(Endpoint.init)
        application = Backend.application(spec)
        fallback = Fallback(spec, namespace: metadata.namespace)
        tls = spec.mapping("tls").map { TLS($0, namespace: metadata.namespace) }
        dialect = Dialect(spec)
    }
}
