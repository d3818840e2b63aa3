import Foundation
import Testing

@testable import GatewayAPI

/// The files that a newcomer starts from.
@Suite("Examples")
struct ExamplesTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("tools/examples")

    static let names = [
        "edge", "http-routes", "https-grpc", "legacy-tcp", "sidecar-unix", "tls-passthrough",
        "tls-to-endpoints", "udp-dns",
    ]

    @Test("an example loads without a finding, and every listener has a route", arguments: names)
    func loads(name: String) throws {
        let path = Self.folder.appendingPathComponent("\(name).yaml")
        let text = try String(contentsOf: path, encoding: .utf8)
        let result = Configuration.load(files: [(path: "\(name).yaml", text: text)])
        #expect(result.findings.map(\.description) == [])
        #expect(!result.plan.listeners.isEmpty)
        #expect(result.plan.listeners.allSatisfy { !$0.isOpaque || $0.route != nil })
        #expect(result.plan.clusters.allSatisfy { !$0.tiers.joined().isEmpty })
        #expect(result.conditions.allSatisfy { $0.status || $0.type == "Conflicted" })
    }

    @Test("the examples together load without a finding")
    func together() throws {
        let files = try Self.names.map { name in
            let path = Self.folder.appendingPathComponent("\(name).yaml")
            return (path: "\(name).yaml", text: try String(contentsOf: path, encoding: .utf8))
        }
        let result = Configuration.load(files: files)
        #expect(result.findings.map(\.description) == [])
        #expect(result.plan.listeners.count == 12)
    }
}
