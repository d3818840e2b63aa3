import Glibc
import Testing

extension Integration {
    /// `apus explain` as a program: what it is asked, and with which code it ends. What it answers
    /// is in GatewayAPITests.
    @Suite struct ExplainTests {
        private static let yaml = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: edge}
            spec:
              gatewayClassName: apus
              addresses: [{value: 192.0.2.1}]
              listeners:
                - {name: web, protocol: TCP, port: 80}
                - {name: dns, protocol: UDP, port: 53}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TCPRoute
            metadata: {name: web}
            spec:
              parentRefs: [{name: edge, sectionName: web}]
              rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: web}]}]
            ---
            apiVersion: gateway.envoyproxy.io/v1alpha1
            kind: Backend
            metadata: {name: web}
            spec: {endpoints: [{unix: /run/web.sock}]}

            """

        private func explain(_ yaml: String, _ question: [String]) throws -> (Int32, String) {
            let folder = TemporaryFolder()
            let file = folder.file("edge.yaml", yaml)
            let child = try ChildProcess([ApusProcess.binary, "explain", file] + question)
            let code = try child.wait()
            try child.awaitEnd()
            return (code, child.log)
        }

        @Test(
            "What is taken ends with 0, and says where it goes",
            arguments: [
                ["--listener", "web"], ["--tcp", "192.0.2.1:80"],
                ["--tcp", "10.0.0.1:4000", "192.0.2.1:80"],
                ["--request", "GET http://192.0.2.1/a", "-H", "x-user: 7", "--from", "10.0.0.1"],
                ["--tcp", "192.0.2.1:80", "--output", "json"],
                ["--request", "http://192.0.2.1/", "--sni", "a"],
            ])
        func taken(question: [String]) throws {
            let (code, log) = try explain(Self.yaml, question)
            #expect(code == 0, "\(log)")
            #expect(log.contains("TCPRoute/default/web") && log.contains("/run/web.sock"), "\(log)")
        }

        @Test(
            "What is refused ends with 1, and says why",
            arguments: [
                (["--listener", "absent"], "there is no listener absent"),
                (["--tcp", "192.0.2.2:80"], "nobody listens at 192.0.2.2:80"),
                (["--udp", "192.0.2.1:53"], "the listener has no route"),
                (["--sni", "example.com"], "no listener speaks TLS"),
            ])
        func refused(question: [String], reason: String) throws {
            let (code, log) = try explain(Self.yaml, question)
            #expect(code == 1, "\(log)")
            #expect(log.contains(reason), "\(log)")
        }

        @Test("A configuration that would not be run is not explained: the exit code is 1")
        func broken() throws {
            let yaml = Self.yaml.replacing("endpoints", with: "endpoint")
            let (code, log) = try explain(yaml, ["--listener", "web"])
            #expect(code == 1, "\(log)")
            #expect(log.contains("see apus check"), "\(log)")
        }

        @Test(
            "A question that is none ends with 2",
            arguments: [
                [], ["--listener", "web", "--sni", "a"], ["--tcp", "192.0.2.1"],
                ["--tcp", "::1:80"], ["--request", "GET example.com"], ["--port", "443"],
                ["--udp", "1.1.1.1:1", "2.2.2.2:2", "3.3.3.3:3"],
                ["--listener", "web", "-H", "a: b"], ["--sni", "a", "--from", "nobody"],
                ["/nowhere.yaml", "--listener", "web"],
            ])
        func wrong(question: [String]) throws {
            let (code, log) = try explain(Self.yaml, question)
            #expect(code == 2, "\(log)")
        }
    }
}
