import ArgumentParser
import Control
import GatewayAPI
import Manifest

extension CheckReport.Format: ExpressibleByArgument {}

/// `apus check`.
struct CheckCommand: ParsableCommand {
    enum Severity: String, CaseIterable, ExpressibleByArgument { case error, warning }

    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say everything that is wrong with a configuration, before it meets traffic.",
        discussion: """
            Exit codes: 0 nothing that --fail-on names, 1 errors (with --fail-on warning: or \
            warnings), 2 wrong command line or unreadable file.
            """)

    @Argument(help: "YAML or JSON files, or directories of them.")
    var paths: [String]

    @Option(help: "How to write what was found: text, json or sarif.")
    var output: CheckReport.Format = .text

    @Option(help: "What makes the exit code 1: error or warning.")
    var failOn: Severity = .error

    @Option(help: "Refuse what the real CRDs refuse: crd.")
    var strict: Strictness?

    @Flag(help: "Leave unknown fields out, as an API server does, instead of refusing them.")
    var prune = false

    func run() throws {
        var options = Configuration.Options()
        options.isStrict = strict == .crd
        options.prunesUnknownFields = prune
        let result = try LoadedConfiguration.load(paths, options)
        let report = CheckReport(result, version: Version.text)
        StandardStream.output.write(report.rendered(output))
        let hasFailed =
            report.count(.error) > 0 || failOn == .warning && report.count(.warning) > 0
        throw Ending(code: hasFailed ? .failed : .drained)
    }
}

/// How the commands that only read get a configuration.
enum LoadedConfiguration {
    static func load(
        _ paths: [String], _ options: Configuration.Options = Configuration.Options()
    ) throws -> Configuration.Result {
        do throws(StartFailure) {
            return Configuration.load(
                files: try ConfigurationFiles.read(paths), options: options)
        } catch {
            StandardStream.error.write("apus: \(error)\n")
            throw Ending(code: .usage)
        }
    }
}
