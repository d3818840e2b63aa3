import Manifest
import Primitives
import Routing
import Testing

@testable import GatewayAPI

@Suite("Translation")
struct TranslationTests {
    @Test("the order of the documents changes neither plan nor conditions")
    func permutation() throws {
        var random = SeededRandom(seed: 11)
        let documents = Self.documents(routes: 12)
        let expected = Configuration.load(files: [("f", documents.joined(separator: "---\n"))])
        #expect(!expected.hasErrors)
        #expect(expected.plan.listeners.count == 12)
        for _ in 0..<20 {
            let text = documents.shuffled(using: &random).joined(separator: "---\n")
            let result = Configuration.load(files: [("f", text)])
            #expect(result.plan == expected.plan)
            #expect(result.conditions == expected.conditions)
        }
    }

    @Test("both dialects of a Backend give the same plan")
    func dialects() {
        let gateway = Self.documents(routes: 1)[0]
        let route = Self.documents(routes: 1)[1]
        let head = """
            apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: Backend
            metadata: {name: b0}
            spec:
              endpoints:

            """
        let short = head + "    - {ip: \"::1\", port: 80}\n    - unix: /run/b\n"
        let long = head + "    - ip: {address: \"::1\", port: 80}\n    - unix: {path: /run/b}\n"
        let plans = [short, long].map { backend in
            let text = [gateway, route, backend].joined(separator: "---\n")
            return Configuration.load(files: [("f", text)]).plan
        }
        #expect(plans[0] == plans[1])
        #expect(
            plans[0].clusters.map { $0.tiers.map { $0.map(\.target) } } == [
                [[.address(.ip(.loopbackIPv6, port: 80)), .address(.unix(path: "/run/b"))]]
            ])
    }

    @Test("hundreds of Backends with their routes are all in the plan")
    func many() {
        let text = Self.documents(routes: 200).joined(separator: "---\n")
        let result = Configuration.load(files: [("f", text)])
        #expect(result.findings == [])
        #expect(result.plan.listeners.count == 200)
        #expect(result.plan.clusters.count == 200)
    }

    /// One Gateway of 64 listeners for every 64 routes, each route with a Backend of its own.
    static func documents(routes count: Int) -> [String] {
        var documents: [String] = []
        for start in stride(from: 0, to: count, by: 64) {
            var gateway = """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: gw\(start / 64)}
                spec:
                  gatewayClassName: apus
                  listeners:

                """
            for index in start..<min(count, start + 64) {
                gateway += "    - {name: l\(index), protocol: TCP, port: \(1_000 + index)}\n"
            }
            documents.append(gateway)
        }
        for index in 0..<count {
            documents.append(
                """
                apiVersion: gateway.networking.k8s.io/v1
                kind: TCPRoute
                metadata:
                  name: r\(index)
                spec:
                  parentRefs:
                    - name: gw\(index / 64)
                      sectionName: l\(index)
                  rules:
                    - backendRefs:
                        - group: gateway.envoyproxy.io
                          kind: Backend
                          name: b\(index)

                """)
            documents.append(
                """
                apiVersion: gateway.envoyproxy.io/v1alpha1
                kind: Backend
                metadata:
                  name: b\(index)
                spec:
                  endpoints:
                    - ip: 10.0.0.1
                      port: 80
                    - ip:
                        address: 10.0.0.2
                        port: 80

                """)
        }
        return documents
    }

    @Test("findings stop at their limit, and say so")
    func findings() {
        let result = Configuration.load(files: [
            ("f", String(repeating: "---\nx\n", count: 2 * FindingLog.findingsMax))
        ])
        #expect(result.findings.count == FindingLog.findingsMax + 1)
        #expect(result.findings.contains { $0.message.contains("mend these first") })
        #expect(result.hasErrors)
    }
}
