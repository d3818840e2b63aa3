import CLinux
import Primitives
import Testing

@testable import Control

@Suite("Configuration files")
struct ConfigurationFilesTests {
    @Test("a directory stands for its own YAML and JSON files, sorted, and for nothing else in it")
    func directory() throws {
        let directory = try TemporaryDirectory()
        try directory.write("b.yml", "b")
        try directory.write("a.yaml", "a")
        try directory.write("c.json", "c")
        try directory.write(".hidden.yaml", "hidden")
        try directory.write("notes.txt", "notes")
        try directory.makeDirectory("deeper")
        try directory.write("deeper/d.yaml", "d")
        let files = try ConfigurationFiles.read([directory.path])
        #expect(files.map(\.text) == ["a", "b", "c"])
        let names = ["a.yaml", "b.yml", "c.json"]
        #expect(files.map(\.path) == names.map { "\(directory.path)/\($0)" })
    }

    @Test("a file is read whatever its name, whole, in the order asked for, and once")
    func files() throws {
        let directory = try TemporaryDirectory()
        let long = String(repeating: "x", count: 300_000) + "end"
        try directory.write("one", long)
        try directory.write("two", "")
        let paths = ["two", "one", "two"].map { "\(directory.path)/\($0)" }
        let files = try ConfigurationFiles.read(paths)
        #expect(files.map(\.text) == ["", long])
    }

    @Test("a path that is missing is named, with what to check")
    func missing() throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: StartFailure.self) {
            _ = try ConfigurationFiles.read(["\(directory.path)/absent.yaml"])
        }
        let text = try #require(error?.description)
        #expect(text.contains("\(directory.path)/absent.yaml"))
        #expect(text.contains("no such file"))
        #expect(text.contains("--config"))
    }

    @Test("a directory without configuration is an error that says which files count")
    func emptyDirectory() throws {
        let directory = try TemporaryDirectory()
        try directory.write("notes.txt", "notes")
        let error = #expect(throws: StartFailure.self) {
            _ = try ConfigurationFiles.read([directory.path])
        }
        #expect(error?.description.contains("*.yaml, *.yml or *.json") == true)
    }

    @Test("text that is not UTF-8 is refused by name")
    func encoding() throws {
        let directory = try TemporaryDirectory()
        try directory.write("latin.yaml", [0x61, 0xe4, 0x62])
        let error = #expect(throws: StartFailure.self) {
            _ = try ConfigurationFiles.read([directory.path])
        }
        #expect(error?.description.contains("latin.yaml is no UTF-8 text") == true)
    }

    @Test("a file without end is refused, not read until memory is gone")
    func endless() {
        let error = #expect(throws: StartFailure.self) {
            _ = try ConfigurationFiles.text(of: "/dev/zero", bytesMax: 100_000)
        }
        #expect(error?.description.contains("more than 100000 bytes") == true)
    }

    @Test(
        "each error of a file names its fix",
        arguments: [
            (ENOENT, "check the path"), (ENOTDIR, "check the path"), (EACCES, "namei -l"),
            (EMFILE, "ulimit -n"), (EIO, "EIO"),
        ])
    func sentences(number: Int32, expected: String) {
        let failure = ConfigurationFiles.failure("/etc/apus.yaml", Errno(rawValue: number))
        #expect(failure.description.contains(expected))
        #expect(failure.description.contains("/etc/apus.yaml"))
    }
}
