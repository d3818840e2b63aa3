import Glibc
import Primitives

/// A configuration with one listener before endpoints for TLS.
struct Origination {
    let credentials: Credentials
    let port: UInt16
    /// Endpoints of the Backend, in YAML's flow style.
    var endpoints: [String]
    /// The inside of the Backend's `spec.tls`; `authority` and `client` are names that it can use.
    var tls =
        "sni: a.example.com, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: authority}]"
    /// A BackendTLSPolicy says this name instead of `tls`.
    var policyName: String?
    /// Another's, a path.
    var authority: String?
    /// The inside of a BackendTrafficPolicy's `spec`.
    var policy: String?
    /// The listener is for TLS too, as this server.
    var server: String?
    /// Of `client`.
    var clientName: String?

    init(_ credentials: Credentials, to ports: UInt16...) throws {
        self.credentials = credentials
        port = try FreePort.take()
        endpoints = ports.map { "ip: {address: 127.0.0.1, port: \($0)}" }
    }

    func start() throws -> ApusProcess { try ApusProcess(configuration: try save()) }

    /// Writes the configuration, or writes it anew, as an editor does.
    @discardableResult
    func save() throws -> String {
        let path = "\(credentials.folder.path)/apus-\(port).yaml"
        let text = try documents().joined(separator: "\n---\n") + "\n"
        rename(credentials.folder.file(".apus-\(port).new", text), path)
        return path
    }

    private func documents() throws -> [String] {
        let listener =
            server.map {
                "protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: \"\($0)\"}]}"
            } ?? "protocol: TCP"
        var documents = [
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: edge}
            spec:
              gatewayClassName: apus
              addresses: [{type: IPAddress, value: 127.0.0.1}]
              listeners: [{name: main, port: \(port), \(listener)}]
            """,
            route,
            """
            apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: Backend
            metadata: {name: b}
            spec:
              endpoints: [\(endpoints.map { "{\($0)}" }.joined(separator: ", "))]
              \(policyName == nil ? "tls: {\(tls)}" : "")
            """,
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: authority}
            data:
              ca.crt: |
            \(Credentials.indented(authority ?? credentials.authority))
            """,
        ]
        if let policyName {
            documents.append(
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: BackendTLSPolicy
                metadata: {name: t}
                spec:
                  targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]
                  validation:
                    hostname: \(policyName)
                    caCertificateRefs: [{group: "", kind: ConfigMap, name: authority}]
                """)
        }
        if let policy {
            documents.append(
                """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: BackendTrafficPolicy
                metadata: {name: p}
                spec:
                  targetRefs: [{group: gateway.networking.k8s.io, kind: TCPRoute, name: r}]
                  \(policy)
                """)
        }
        if let server { documents.append(try credentials.secret(server, of: server)) }
        if let clientName { documents.append(try credentials.secret("client", of: clientName)) }
        return documents
    }

    /// A TLSRoute where the listener is for TLS.
    private var route: String {
        let (version, kind, names) =
            server.map { ("v1", "TLSRoute", "hostnames: [\($0)]") } ?? ("v1alpha2", "TCPRoute", "")
        return """
            apiVersion: gateway.networking.k8s.io/\(version)
            kind: \(kind)
            metadata: {name: r}
            spec:
              parentRefs: [{name: edge}]
              \(names)
              rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]}]
            """
    }
}
