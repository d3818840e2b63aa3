import Primitives

/// A configuration for one process: one Gateway, and a route and Backends for each listener.
struct Forwarding {
    enum Transport: String { case tcp = "TCP", udp = "UDP", http = "HTTP" }

    struct Listener {
        let transport: Transport
        let address: SocketAddress
        /// One Backend each.
        var backends: [(endpoints: [SocketAddress], weight: Int)]
        /// The inside of a ClientTrafficPolicy's, BackendTrafficPolicy's and EndpointPolicy's
        /// `spec`, in YAML's flow style.
        var clientPolicy: String?
        var backendPolicy: String?
        var endpointPolicy: String?

        var port: UInt16 {
            if case .ip(_, let port) = address { port } else { 1 }
        }
    }

    var listeners: [Listener]

    init(_ listeners: Listener...) {
        self.listeners = listeners
    }

    var yaml: String {
        listeners.indices.map(documents).joined(separator: "---\n")
    }

    private func documents(_ place: Int) -> String {
        let listener = listeners[place]
        let name = "l\(place)"
        var documents = [gateway(name, listener)]
        let route = "\(listener.transport.rawValue)Route"
        let references = listener.backends.indices.map { backend in
            "{group: gateway.envoyproxy.io, kind: Backend, name: \(name)-b\(backend), "
                + "weight: \(listener.backends[backend].weight)}"
        }
        documents.append(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: \(route)
            metadata: {name: \(name)}
            spec:
              parentRefs: [{name: \(name)}]
              rules: [{backendRefs: [\(references.joined(separator: ", "))]}]

            """)
        for (number, backend) in listener.backends.enumerated() {
            let endpoints = backend.endpoints.map { "  - \(endpoint($0))\n" }.joined()
            documents.append(
                """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata: {name: \(name)-b\(number)}
                spec:
                  endpoints:
                \(endpoints)
                """)
        }
        documents += policies(name, route, listener)
        return documents.joined(separator: "---\n")
    }

    private func gateway(_ name: String, _ listener: Listener) -> String {
        let address =
            switch listener.address {
            case .ip(let address, _): "{type: IPAddress, value: \"\(address)\"}"
            case .unix(let path): "{type: apus.dev/UnixSocket, value: \"\(path)\"}"
            }
        return """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: \(name)}
            spec:
              gatewayClassName: apus
              addresses: [\(address)]
              listeners: [{name: main, protocol: \(listener.transport.rawValue), \
            port: \(listener.port)}]

            """
    }

    private func endpoint(_ address: SocketAddress) -> String {
        switch address {
        case .ip(let ip, let port): "ip: {address: \"\(ip)\", port: \(port)}"
        case .unix(let path): "unix: {path: \"\(path)\"}"
        }
    }

    private func policies(_ name: String, _ route: String, _ listener: Listener) -> [String] {
        let kubernetes = "gateway.networking.k8s.io"
        var documents: [String] = []
        func add(_ version: String, _ kind: String, _ target: String, _ spec: String?) {
            guard let spec else { return }
            documents.append(
                """
                apiVersion: \(version)
                kind: \(kind)
                metadata: {name: \(name)}
                spec: {targetRefs: [{\(target)}], \(spec)}

                """)
        }
        add(
            "gateway.envoyproxy.io/v1alpha1", "ClientTrafficPolicy",
            "group: \(kubernetes), kind: Gateway, name: \(name)", listener.clientPolicy)
        add(
            "gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy",
            "group: \(kubernetes), kind: \(route), name: \(name)", listener.backendPolicy)
        add(
            "apus.dev/v1alpha1", "EndpointPolicy",
            "group: gateway.envoyproxy.io, kind: Backend, name: \(name)-b0",
            listener.endpointPolicy)
        return documents
    }
}

extension Forwarding.Listener {
    /// A TCP listener on a free port of loopback before one Backend.
    static func tcp(
        to endpoints: SocketAddress..., client: String? = nil, backend: String? = nil
    ) throws -> Self {
        Self(
            transport: .tcp, address: .ip(.loopbackIPv4, port: try FreePort.take()),
            backends: [(endpoints, 1)], clientPolicy: client, backendPolicy: backend)
    }

    /// A listener of requests on a free port of loopback before one Backend.
    static func http(
        to endpoints: SocketAddress..., client: String? = nil, backend: String? = nil,
        endpoint: String? = nil
    ) throws -> Self {
        Self(
            transport: .http, address: .ip(.loopbackIPv4, port: try FreePort.take()),
            backends: [(endpoints, 1)], clientPolicy: client, backendPolicy: backend,
            endpointPolicy: endpoint)
    }

    /// A UDP listener on a free port of loopback before one Backend.
    static func udp(
        to endpoints: SocketAddress..., endpointPolicy: String? = nil
    ) throws -> Self {
        Self(
            transport: .udp, address: .ip(.loopbackIPv4, port: try FreePort.take()),
            backends: [(endpoints, 1)], endpointPolicy: endpointPolicy)
    }
}
