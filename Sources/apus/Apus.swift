import ArgumentParser
import CLinux
import Control

/// The command line of `apus`. Lives on the main thread.
@main
struct Apus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Forwards TCP and UDP as the Gateway API says.",
        version: Version.text,
        subcommands: [
            RunCommand.self, DemoCommand.self, CheckCommand.self, ExplainCommand.self,
            ConvertCommand.self, SchemaCommand.self, EndpointsCommand.self,
        ])

    /// The process ends by `_exit(2)`: its workers may still be running.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
            end(.drained)
        } catch let end as Ending {
            Self.end(end.code)
        } catch {
            let text = fullMessage(for: error)
            let isHelp = exitCode(for: error) == .success
            let stream = isHelp ? StandardStream.output : StandardStream.error
            if !text.isEmpty { stream.write(text + "\n") }
            // ArgumentParser's own code for a wrong command line is 64 (`sysexits(3)`).
            end(isHelp ? .drained : .usage)
        }
    }

    private static func end(_ code: Control.ExitCode) -> Never {
        _exit(code.rawValue)
    }
}

/// How a command that has run tells its exit code.
struct Ending: Error {
    var code: Control.ExitCode
}
