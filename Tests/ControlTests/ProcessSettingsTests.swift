import GatewayAPI
import Logging
import Testing

@testable import Control

@Suite("Process settings")
struct ProcessSettingsTests {
    private static let document = """
        apiVersion: apus.dev/v1alpha1
        kind: ApusConfig
        metadata: {name: process}
        spec:
          {workers: 2, connectionsMax: 300, drainTimeout: 1m500ms, logLevel: debug, admin: "off"}
        """

    private func written(_ text: String) throws -> ApusConfig {
        let result = Configuration.load(files: [(path: "a.yaml", text: text)])
        #expect(result.findings.isEmpty)
        return try #require(result.process)
    }

    @Test("without a word from anybody the defaults hold")
    func defaults() {
        let settings = ProcessSettings(RunSettings(), nil)
        #expect(settings.workers == nil)
        #expect(settings.connectionsMax == nil)
        #expect(settings.drainTimeoutSeconds == 30)
        #expect(settings.logLevel == .info)
        #expect(settings.admin == .standard)
    }

    @Test("an ApusConfig says what the command line does not")
    func configuration() throws {
        let settings = ProcessSettings(RunSettings(), try written(Self.document))
        #expect(settings.workers == 2)
        #expect(settings.connectionsMax == 300)
        #expect(settings.drainTimeoutSeconds == 60.5)
        #expect(settings.drainTimeoutNanoseconds == 60_500_000_000)
        #expect(settings.logLevel == .debug)
        #expect(settings.admin == .off)
    }

    @Test("the command line goes first")
    func flags() throws {
        var flags = RunSettings()
        flags.workers = 1
        flags.connectionsMax = 10
        flags.drainTimeoutSeconds = 0
        flags.logLevel = .error
        flags.admin = AdminAddress("[::1]:1")
        let settings = ProcessSettings(flags, try written(Self.document))
        #expect(settings.workers == 1)
        #expect(settings.connectionsMax == 10)
        #expect(settings.drainTimeoutSeconds == 0)
        #expect(settings.logLevel == .error)
        #expect(settings.admin == AdminAddress("[::1]:1"))
    }

    @Test("a place for the admin server that is none is told with its line")
    func wrongAdmin() {
        let text = Self.document.replacing("\"off\"", with: "localhost:80")
        let result = Configuration.load(files: [(path: "a.yaml", text: text)])
        #expect(result.findings.count == 1)
        let finding = result.findings.first?.description ?? ""
        #expect(finding.hasPrefix("a.yaml:5:"), "\(finding)")
        #expect(finding.contains("spec.admin") && finding.contains("unix:PATH"), "\(finding)")
    }

    @Test("what a running process cannot change is named")
    func unchangeable() throws {
        let one = ProcessSettings(RunSettings(), try written(Self.document))
        let other = ProcessSettings(RunSettings(), nil)
        #expect(other.unchangeable(from: one) == ["workers", "connectionsMax", "admin"])
        #expect(one.unchangeable(from: one).isEmpty)
    }
}
