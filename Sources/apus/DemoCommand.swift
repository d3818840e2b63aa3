import Admin
import ArgumentParser
import Control

/// `apus demo`: the quickstart under a name of its own.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Forward to demo backends of its own on loopback, to try things out.")

    func run() throws {
        throw Ending(
            code: ForwarderProcess.run(RunSettings(), startAdmin: AdminServer.start))
    }
}
