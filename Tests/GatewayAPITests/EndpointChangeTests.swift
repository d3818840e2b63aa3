import Manifest
import Primitives
import Routing
import Testing

@testable import GatewayAPI

/// A change of endpoints alone is followed without a translation, and comes to the same.
@Suite("Changes of endpoints")
struct EndpointChangeTests {
    private static let frame = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: gw}
        spec:
          gatewayClassName: apus
          listeners:
            - {name: a, protocol: TCP, port: 1000}
            - {name: b, protocol: UDP, port: 1001}
            - {name: c, protocol: TCP, port: 1002}
        ---
        apiVersion: gateway.networking.k8s.io/v1alpha2
        kind: TCPRoute
        metadata: {name: a}
        spec:
          parentRefs: [{name: gw, sectionName: a}]
          rules:
            - backendRefs:
                - {group: gateway.envoyproxy.io, kind: Backend, name: b0, weight: 3}
                - {group: gateway.envoyproxy.io, kind: Backend, name: b1}
                - {group: gateway.envoyproxy.io, kind: Backend, name: b4}
        ---
        apiVersion: gateway.networking.k8s.io/v1alpha2
        kind: UDPRoute
        metadata: {name: b}
        spec:
          parentRefs: [{name: gw, sectionName: b}]
          rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b0}]}]
        ---
        apiVersion: gateway.networking.k8s.io/v1alpha2
        kind: TCPRoute
        metadata: {name: c}
        spec:
          parentRefs: [{name: gw, sectionName: c}]
          rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b2}]}]
        ---
        apiVersion: gateway.envoyproxy.io/v1alpha1
        kind: BackendTrafficPolicy
        metadata: {name: invalid}
        spec:
          targetRefs: [{group: gateway.networking.k8s.io, kind: TCPRoute, name: c}]
          loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 8}}
        ---
        apiVersion: apus.dev/v1alpha1
        kind: EndpointPolicy
        metadata: {name: srv}
        spec:
          targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b1}]
          srv: {name: _x._tcp.example.com}

        """

    /// Backends of which b0 falls back to b3, and b4 stands by.
    private struct Model {
        var generation = [1, 1, 1, 1, 1]
        var endpoints = Array(repeating: "{ip: {address: 10.0.0.1, port: 1}}", count: 5)
        var rest = [
            "fallback: {backendRef: {kind: Backend, group: gateway.envoyproxy.io, name: b3}}",
            "type: Endpoints", "type: Endpoints", "type: Endpoints", "fallback: true",
        ]

        var text: String {
            EndpointChangeTests.frame
                + (0..<5).map { number in
                    """
                    ---
                    apiVersion: gateway.envoyproxy.io/v1alpha1
                    kind: Backend
                    metadata: {name: b\(number), generation: \(generation[number])}
                    spec:
                      \(rest[number])
                      endpoints: [\(endpoints[number])]

                    """
                }.joined()
        }

        mutating func change(_ random: inout SeededRandom) {
            let number = Int.random(in: 0..<5, using: &random)
            if Bool.random(using: &random) { generation[number] += 1 }
            endpoints[number] = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                let port = Int.random(in: 1...9, using: &random)
                switch Int.random(in: 0..<12, using: &random) {
                case 0: return "{fqdn: {hostname: a.example.com, port: \(port)}}"
                case 1: return "{unix: {path: /run/\(port)}}"
                case 2: return "{ip: {address: 10.0.0.1, port: 0}}"
                case 3: return "{hostname: h\(port), ip: {address: 10.0.0.3, port: 1}}"
                default: return "{ip: {address: 10.0.0.2, port: \(port)}}"
                }
            }.joined(separator: ", ")
            if Int.random(in: 0..<20, using: &random) == 0 {
                let others = ["type: Endpoints", "fallback: true", "appProtocols: []"]
                rest[2] = others[Int.random(in: 0..<others.count, using: &random)]
            }
        }
    }

    @Test("whatever changes, the outcome is that of a first reading")
    func sameAsFirst() {
        var random = SeededRandom(seed: 23)
        var reader = ConfigurationReader()
        var model = Model()
        var followed = 0
        for _ in 0..<600 {
            if Int.random(in: 0..<8, using: &random) > 0 { model.change(&random) }
            let files = [(path: "f.yaml", text: model.text)]
            let before = reader.translations
            let again = reader.load(files: files)
            if reader.translations == before { followed += 1 }
            let first = Configuration.load(files: files)
            #expect(again.plan == first.plan)
            #expect(again.conditions == first.conditions)
            #expect(again.findings == first.findings)
            #expect(again.dialects == first.dialects)
            #expect(again.listeners == first.listeners)
        }
        #expect(followed > 150, "\(followed) were followed")
    }
}
