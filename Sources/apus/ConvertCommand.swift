import ArgumentParser
import CLinux
import Control
import GatewayAPI
import Manifest

/// `apus convert`.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Write a configuration as the real CRDs of Envoy Gateway take it.",
        discussion: """
            What needs no change is copied as it is. What the real CRDs cannot say is an error \
            with its place, and nothing is written. Exit codes: 0 written, 1 errors, 2 wrong \
            command line, or a file that cannot be read or written.
            """)

    @Argument(help: "YAML or JSON files, or directories of them.")
    var paths: [String]

    @Option(help: "Write one file for each into this directory, instead of all to standard output.")
    var outputDirectory: String?

    @Flag(help: "Overwrite files in the output directory.")
    var force = false

    func run() throws {
        let result: Conversion.Result
        do throws(StartFailure) {
            result = Conversion.convert(files: try ConfigurationFiles.read(paths))
        } catch {
            StandardStream.error.write("apus: \(error)\n")
            throw Ending(code: .usage)
        }
        for finding in result.findings { StandardStream.error.write("\(finding)\n") }
        guard !result.hasErrors else { throw Ending(code: .failed) }
        if let outputDirectory {
            try write(result.files, to: outputDirectory)
        } else {
            StandardStream.output.write(Conversion.stream(result.files))
        }
        throw Ending(code: .drained)
    }

    /// All or none as far as can be known beforehand: names that meet or are taken.
    private func write(_ files: [Configuration.File], to directory: String) throws {
        let outputs = files.map { file in
            (path: "\(directory)/\(file.path.split(separator: "/").last ?? "")", text: file.text)
        }
        do throws(StartFailure) {
            var taken: Set<String> = []
            for output in outputs where !taken.insert(output.path).inserted {
                throw StartFailure(
                    "two of the files would be written to \(output.path); convert them one by one")
            }
            if !force {
                for output in outputs where access(output.path, F_OK) == 0 {
                    throw StartFailure(
                        "\(output.path) is there already; name another directory, or --force")
                }
            }
            for output in outputs { try OutputFile.write(output.text, to: output.path) }
        } catch {
            StandardStream.error.write("apus: \(error)\n")
            throw Ending(code: .usage)
        }
    }
}
