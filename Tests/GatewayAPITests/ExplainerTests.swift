import Foundation
import Primitives
import Testing

@testable import GatewayAPI

/// Questions about `Explanations/NAME.yaml`; the answers must be what `Explanations/NAME.txt` says.
/// With `APUS_UPDATE_GOLDEN=1` the texts are written anew, as those of `GoldenTests`.
@Suite("Explanations")
struct ExplainerTests {
    typealias Question = Explanation.Question

    private static let folder = GoldenTests.folder.deletingLastPathComponent()
        .appendingPathComponent("Explanations")

    private static func arrival(
        _ source: String?, _ destination: String, _ port: UInt16, isDatagram: Bool = false
    ) throws -> Question {
        func address(_ text: String, _ port: UInt16) throws -> SocketAddress {
            .ip(try #require(IPAddress(text)), port: port)
        }
        return .arrival(
            from: try source.map { try address($0, 40_000) }, to: try address(destination, port),
            isDatagram: isDatagram)
    }

    private static func name(_ name: String, port: UInt16? = 443) -> Question {
        .serverName(name, port: port, from: nil)
    }

    private static func request(
        _ method: String, _ url: String, _ headers: KeyValuePairs<String, String> = [:],
        serverName: String? = nil, from client: String? = nil
    ) throws -> Question {
        .request(
            try #require(
                Explanation.Request(
                    method: method, url: url,
                    headers: headers.map { .init(name: $0.key, value: $0.value) })),
            serverName: serverName, from: client.flatMap { IPAddress($0) })
    }

    private static func explainer(_ name: String) throws -> Explainer {
        let yaml = folder.appendingPathComponent("\(name).yaml")
        let text = try String(contentsOf: yaml, encoding: .utf8)
        let result = Configuration.load(files: [("\(name).yaml", text)])
        let errors = result.hasErrors ? result.findings.map(\.description) : []
        #expect(errors.isEmpty)
        return Explainer(result)
    }

    private func check(
        _ name: String, _ questions: KeyValuePairs<String, Question>,
        as format: ExplanationReport.Format = .text
    ) throws {
        var explainer = try Self.explainer(name)
        var actual = ""
        for (title, question) in questions {
            let report = ExplanationReport(explainer.explain(question))
            actual += "# \(title): \(report.isTaken ? "taken" : "refused")\n"
            actual += report.rendered(format) + "\n"
        }
        let file = Self.folder.appendingPathComponent(
            format == .text ? "\(name).txt" : "\(name).json.txt")
        if ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDEN"] == "1" {
            try actual.write(to: file, atomically: true, encoding: .utf8)
        }
        let wanted = try String(contentsOf: file, encoding: .utf8)
        #expect(
            actual == wanted,
            "repeat: swift test --filter ExplainerTests; update: APUS_UPDATE_GOLDEN=1")
    }

    @Test("connections, datagrams and names are explained")
    func streams() throws {
        try check(
            "streams",
            [
                "a connection by two shares of three": Self.arrival(nil, "192.0.2.1", 80),
                "the same route at the other Gateway": Self.arrival(nil, "127.0.0.1", 8080),
                "IPv6": Self.arrival(nil, "2001:db8::1", 80),
                "a datagram": Self.arrival("10.0.0.9", "192.0.2.1", 53, isDatagram: true),
                "nobody listens": Self.arrival(nil, "192.0.2.9", 80),
                "let in": Self.arrival("10.0.0.9", "192.0.2.1", 81),
                "kept out": Self.arrival("192.0.2.9", "192.0.2.1", 81),
                "nobody knows who": Self.arrival(nil, "192.0.2.1", 81),
                "no route": Self.arrival(nil, "192.0.2.1", 82),
                "no endpoint": Self.arrival(nil, "192.0.2.1", 83),
                "a policy that cannot be followed": Self.arrival(nil, "192.0.2.1", 84),
                "a name decides": Self.arrival(nil, "192.0.2.1", 443),
                "the closest route of a name": Self.name("shop.example.com"),
                "a family of names": Self.name("a.example.com"),
                "a host without routes": Self.name("mail.example.com"),
                "a host that nobody has": Self.name("example.org"),
                "no name": Self.name(""),
                "no TLS there": Self.name("shop.example.com", port: 80),
                "a listener": .listener("edge/web"),
                "a listener of names": .listener("mail"),
                "a listener that is refused": .listener("strange"),
                "no such listener": .listener("absent"),
                "a request is no more than a connection": Self.request(
                    "GET", "http://192.0.2.1/a"),
            ])
    }

    @Test("requests are explained")
    func requests() throws {
        try check(
            "requests",
            [
                "by method": Self.request("POST", "http://api.example.com/orders/9"),
                "by header": Self.request(
                    "GET", "http://api.example.com/orders/all", ["x-user": "7"]),
                "kept out by header": Self.request(
                    "POST", "http://api.example.com/orders", ["x-role": "guest"],
                    from: "10.0.0.1"),
                "kept out by address": Self.request(
                    "POST", "http://api.example.com/orders", from: "198.51.100.7"),
                "a backend that does not exist": Self.request(
                    "GET", "http://api.example.com/v1/a?q=1"),
                "redirected": Self.request("GET", "http://api.example.com/old/a?b=c"),
                "404 by rule": Self.request("GET", "http://api.example.com/orders"),
                "404 by listener": Self.request("GET", "http://www.example.com/"),
                "404 by host": Self.request("GET", "http://example.org/"),
                "within TLS": Self.request("GET", "https://shop.example.com/"),
                "421, over a connection for another host": Self.request(
                    "GET", "https://shop.example.com/", serverName: "a.example.com"),
                "by name": Self.name("shop.example.com"),
                "TLS for a host that nobody has": Self.request("GET", "https://example.org/"),
                "TLS to one in the clear": Self.request("GET", "https://api.example.com:80/"),
                "in the clear to TLS": Self.request("GET", "http://shop.example.com:443/"),
                "no port": Self.request("GET", "http://api.example.com:81/"),
                "a listener": .listener("default/edge/api"),
            ])
    }

    @Test("programs are told the same")
    func json() throws {
        try check(
            "requests",
            [
                "by method": Self.request(
                    "POST", "http://api.example.com/orders/9", from: "10.0.0.1")
            ],
            as: .json)
    }

    @Test("every value that a policy says is told with its place")
    func complete() throws {
        var explainer = try Self.explainer("settings")
        var settings: [Explanation.Setting] = []
        for explanation in explainer.explain(
            try Self.request("GET", "https://a.example.com/"))
            + explainer.explain(try Self.arrival(nil, "127.0.0.1", 80))
            + explainer.explain(try Self.arrival(nil, "127.0.0.1", 53, isDatagram: true))
        {
            settings += explanation.settings + explanation.destinations.flatMap(\.settings)
        }
        let told = Set(settings.compactMap(\.origin).map { "\($0.object) \($0.path)" })
        var count = 0
        for policy in explainer.result.objects.policies {
            for origin in policy.spec.origins where !origin.isDefault {
                // A list is told where its first item stands.
                let path = origin.path.replacing(/\[[1-9]\]/, with: "[0]")
                // What a check is told of says of what type it is.
                guard !path.hasPrefix("healthCheck.") || !path.hasSuffix(".type") else { continue }
                count += 1
                let isTold = told.contains("\(policy.metadata.identity) spec.\(path)")
                #expect(isTold, "\(origin.path) at \(origin.place)")
            }
        }
        #expect(count >= 90)
    }
}
