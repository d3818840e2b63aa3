import ArgumentParser
import Control
import Manifest

/// `apus schema`.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Write the JSON Schema of everything that is read, for editors.",
        discussion: """
            Draft-07. With a YAML language server, a first line "# yaml-language-server: \
            $schema=apus.schema.json" in a file completes and checks it.
            """)

    @Option(help: "Only what the real CRDs take: crd.")
    var strict: Strictness?

    func run() throws {
        let document = SchemaDocument.document(strict == .crd ? .crd : .union)
        StandardStream.output.write(document.document)
        throw Ending(code: .drained)
    }
}

/// The value of `--strict`: whose rules are held to, and nothing beside them is taken.
enum Strictness: String, CaseIterable, ExpressibleByArgument { case crd }
