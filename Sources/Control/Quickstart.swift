import GatewayAPI
import Primitives

/// What `apus run` serves without a configuration: two TCP backends with weights, one of them
/// behind a Unix socket, and a UDP echo, all offered by the process itself. The text goes the way
/// of every other configuration.
struct Quickstart {
    let configuration: ConfigurationFiles.File
    /// Never used again, but they live as long as this.
    private let backends: [DemoBackend]

    static let tcpPort = 10080
    static let udpPort = 10053
    /// For the budget of descriptors: connections, listeners and what they open.
    static let descriptorsMax = 3 * DemoBackend.connectionsMax + 8

    /// Starts the backends.
    init(processIdentifier: Int32) throws(StartFailure) {
        do throws(Errno) {
            let loopback = SocketAddress.ip(.loopbackIPv4, port: 0)
            let first = try DemoBackend("demo-1", .stream, on: loopback)
            let abstract = SocketAddress.unix(path: "@apus-demo-\(processIdentifier)")
            let second = try DemoBackend("demo-2", .stream, on: abstract)
            let echo = try DemoBackend("demo-echo", .datagram, on: loopback)
            backends = [first, second, echo]
            configuration = (
                path: "quickstart.yaml",
                text: Self.text(first: first.address, second: second.address, echo: echo.address)
            )
        } catch {
            throw StartFailure("the quickstart's demo backends cannot start: \(error)")
        }
    }

    /// - Parameter admin: where it can be looked inside; nil = nowhere.
    static func instructions(admin: SocketAddress?) -> String {
        let place = admin.map { AdminAddress.at($0) }
        let look =
            switch place {
            case nil: ""
            case AdminAddress.standard?: "\n    apus endpoints"
            case let place?: "\n    apus endpoints --admin \(place)"
            }
        return """

            Apus forwards TCP 127.0.0.1:\(tcpPort) and UDP 127.0.0.1:\(udpPort) to demo backends \
            of its own. Try, in another terminal:

                curl http://127.0.0.1:\(tcpPort)/
                printf 'hello\\n' | nc -N 127.0.0.1 \(tcpPort)
                printf 'hello\\n' | socat -t 1 - UDP:127.0.0.1:\(udpPort)\(look)

            Two of three connections go to demo-1, the third to demo-2. Ctrl-C ends it.


            """
    }

    static func text(
        first: SocketAddress, second: SocketAddress, echo: SocketAddress
    ) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: quickstart}
        spec:
          gatewayClassName: apus
          addresses:
            - {type: IPAddress, value: 127.0.0.1}
          listeners:
            - {name: tcp, protocol: TCP, port: \(tcpPort)}
            - {name: udp, protocol: UDP, port: \(udpPort)}
        ---
        apiVersion: gateway.networking.k8s.io/v1alpha2
        kind: TCPRoute
        metadata: {name: hello}
        spec:
          parentRefs: [{name: quickstart, sectionName: tcp}]
          rules:
            - backendRefs:
                - {group: gateway.envoyproxy.io, kind: Backend, name: demo-1, weight: 2}
                - {group: gateway.envoyproxy.io, kind: Backend, name: demo-2, weight: 1}
        ---
        apiVersion: gateway.networking.k8s.io/v1alpha2
        kind: UDPRoute
        metadata: {name: echo}
        spec:
          parentRefs: [{name: quickstart, sectionName: udp}]
          rules:
            - backendRefs:
                - {group: gateway.envoyproxy.io, kind: Backend, name: demo-echo}
        \(backend("demo-1", first))
        \(backend("demo-2", second))
        \(backend("demo-echo", echo))

        """
    }

    private static func backend(_ name: String, _ address: SocketAddress) -> String {
        let endpoint =
            switch address {
            case .ip(let host, let port): "ip: {address: \"\(host)\", port: \(port)}"
            case .unix(let path): "unix: {path: \"\(path)\"}"
            }
        return """
            ---
            apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: Backend
            metadata: {name: \(name)}
            spec:
              endpoints:
                - \(endpoint)
            """
    }
}
