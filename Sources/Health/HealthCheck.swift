import Primitives
import Routing

/// One thing to be checked. Equal checks are made once however many clusters want them, so what
/// makes no difference to a probe is left out of it. A value.
public struct HealthCheck: Hashable, Sendable {
    /// The endpoint's; with the port of `overrides.port` where that is given.
    public let address: SocketAddress
    /// For Host or `:authority`: the probe's own, else the endpoint's hostname or name, else its
    /// address. Empty for probes without one.
    public let host: String
    /// Its port went into `address`.
    public let plan: HealthCheckPlan.Active
    /// `http1` or `http2` for HTTP probes, `http2` for gRPC, else `opaque`.
    public let framing: ClusterPlan.Framing
    /// What the endpoint expects before anything else; the connection is our own, and says so.
    public let proxyHeader: ClusterPlan.ProxyHeader
    /// How TLS is spoken with the endpoint, with the application protocol of the probe; nil = it is
    /// not.
    public let tls: UpstreamTLSPlan?
    /// `EndpointPlan.tlsName`.
    public let tlsName: String?

    /// - Parameters:
    ///   - address: of the endpoint.
    ///   - framing: of the cluster; `http2` means HTTP probes by HTTP/2 with prior knowledge
    ///     (RFC 9113 §3.3), or as TLS agrees on it (§3.2).
    public init(
        _ endpoint: EndpointPlan, at address: SocketAddress, plan: HealthCheckPlan.Active,
        framing: ClusterPlan.Framing, proxyHeader: ClusterPlan.ProxyHeader = .none
    ) {
        if let port = plan.port, case .ip(let host, _) = address {
            self.address = .ip(host, port: port)
        } else {
            self.address = address
        }
        let own: String? =
            if case .name(let name, _) = endpoint.target { endpoint.hostname ?? name } else {
                endpoint.hostname
            }
        let name = own ?? Self.host(of: self.address)
        switch plan.probe {
        case .tcp, .udp: (host, self.framing) = ("", .opaque)
        case .http(let probe):
            host = probe.host ?? name
            self.framing = framing == .http2 ? .http2 : .http1
        case .grpc: (host, self.framing) = (name, .http2)
        }
        var plan = plan
        plan.port = nil
        self.plan = plan
        if case .udp = plan.probe {
            self.proxyHeader = .none
        } else {
            self.proxyHeader = proxyHeader
        }
        tls = Self.tls(endpoint.tls, for: plan.probe, self.framing)
        tlsName = tls == nil ? nil : endpoint.tlsName
    }

    private static func tls(
        _ plan: UpstreamTLSPlan?, for probe: HealthCheckPlan.Probe, _ framing: ClusterPlan.Framing
    ) -> UpstreamTLSPlan? {
        guard var plan else { return nil }
        switch probe {
        case .udp: return nil
        case .tcp: break
        case .http, .grpc: plan.alpnProtocols = [framing == .http2 ? "h2" : "http/1.1"]
        }
        return plan
    }

    /// As the cluster's policy has it; nil = it has no checks.
    public init?(_ endpoint: EndpointPlan, at address: SocketAddress, of cluster: ClusterPlan) {
        guard let plan = cluster.healthCheck.active else { return nil }
        self.init(
            endpoint, at: address, plan: plan, framing: cluster.framing,
            proxyHeader: cluster.proxyHeader)
    }

    /// Those of one address are few, and what tells them apart is much to hash.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(address)
        hasher.combine(host)
    }

    /// A path is no host (RFC 3986 §3.2.2), so a Unix socket gets the usual stand-in.
    private static func host(of address: SocketAddress) -> String {
        switch address {
        case .ip: "\(address)"
        case .unix: "localhost"
        }
    }
}

/// What is known of an endpoint by checks.
public enum HealthVerdict: Hashable, Sendable {
    /// No check has ended yet.
    case pending
    case healthy
    /// With what made it so.
    case unhealthy(HealthFailure)
}

/// What came of one check.
enum CheckOutcome: Hashable {
    case passed
    case failed(HealthFailure)
    /// It could not be made, for want of something on this machine: it says nothing of the
    /// endpoint.
    case inconclusive(Errno)
}
