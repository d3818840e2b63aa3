import Glibc
import Primitives
import Testing

@testable import Control

@Suite("File watch")
struct FileWatchTests {
    /// What `#expect` can look at, which a value without copies is not.
    private final class Watcher {
        private var watch: FileWatch

        init(_ paths: [String]) throws {
            watch = try FileWatch(paths)
        }

        func renews() -> Bool { watch.renew().isEmpty }
        func seesChange() -> Bool { watch.takeEvents() }
    }

    /// Events of a change are there when the system call that made it returns (`inotify(7)`).
    private static func seesChange(
        _ path: (TemporaryDirectory) -> String,
        after prepare: (TemporaryDirectory) throws -> Void,
        by change: (TemporaryDirectory) throws -> Void
    ) throws -> Bool {
        let directory = try TemporaryDirectory()
        try prepare(directory)
        let watch = try Watcher([path(directory)])
        #expect(watch.renews())
        #expect(!watch.seesChange(), "nothing has changed yet")
        try change(directory)
        return watch.seesChange()
    }

    private static func file(_ directory: TemporaryDirectory) -> String {
        "\(directory.path)/apus.yaml"
    }

    private static func whole(_ directory: TemporaryDirectory) -> String { directory.path }

    private static func prepare(_ directory: TemporaryDirectory) throws {
        try directory.write("apus.yaml", "a: 1\n")
    }

    @Test("a file that is written in place is seen, by its path and its directory's")
    func written() throws {
        for path in [Self.file, Self.whole] {
            #expect(
                try Self.seesChange(path, after: Self.prepare) { try $0.write("apus.yaml", "a: 2") }
            )
        }
    }

    @Test("a new file renamed over the old one is seen, the writing of the new one is not")
    func renamed() throws {
        for path in [Self.file, Self.whole] {
            let sees = try Self.seesChange(path, after: Self.prepare) { directory in
                try directory.write(".apus.yaml.swp", "a: 2")
            }
            #expect(!sees)
            let seesRename = try Self.seesChange(path, after: Self.prepare) { directory in
                try directory.write(".apus.yaml.swp", "a: 2")
                rename("\(directory.path)/.apus.yaml.swp", Self.file(directory))
            }
            #expect(seesRename)
        }
    }

    @Test("a file that is being written is a change only when it is closed")
    func created() throws {
        let directory = try TemporaryDirectory()
        let watch = try Watcher([directory.path])
        #expect(watch.renews())
        let file = open("\(directory.path)/more.yaml", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        #expect(write(file, "a", 1) == 1)
        #expect(!watch.seesChange())
        close(file)
        #expect(watch.seesChange())
    }

    @Test("removing a file, and the directory itself, is seen")
    func removed() throws {
        for path in [Self.file, Self.whole] {
            #expect(try Self.seesChange(path, after: Self.prepare) { unlink(Self.file($0)) })
            let seesMove = try Self.seesChange(path, after: Self.prepare) {
                rename($0.path, "\($0.path)-moved")
                rename("\($0.path)-moved", $0.path)
            }
            #expect(seesMove)
        }
    }

    @Test("of a missing path the last directory there is shows when it comes")
    func missing() throws {
        let sees = try Self.seesChange({ "\($0.path)/conf/apus.yaml" }, after: { _ in }) {
            try $0.makeDirectory("conf")
        }
        #expect(sees)
    }

    /// As the kubelet lays out a mounted ConfigMap.
    private static func mount(_ directory: TemporaryDirectory) throws {
        try directory.makeDirectory("..one")
        try directory.write("..one/apus.yaml", "a: 1")
        symlink("..one", "\(directory.path)/..data")
        symlink("..data/apus.yaml", Self.file(directory))
    }

    @Test("the swap of a mounted ConfigMap's ..data link is seen, its preparation is not")
    func configMap() throws {
        for path in [Self.file, Self.whole] {
            let directory = try TemporaryDirectory()
            try Self.mount(directory)
            let watch = try Watcher([path(directory)])
            #expect(watch.renews())
            for (old, new) in [("..one", "..two"), ("..two", "..three")] {
                try directory.makeDirectory(new)
                try directory.write("\(new)/apus.yaml", "a: 2")
                symlink(new, "\(directory.path)/..data_tmp")
                #expect(!watch.seesChange())
                rename("\(directory.path)/..data_tmp", "\(directory.path)/..data")
                #expect(watch.seesChange())
                unlink("\(directory.path)/\(old)/apus.yaml")
                rmdir("\(directory.path)/\(old)")
                // What the swap led to is followed from now on.
                #expect(watch.renews())
                _ = watch.seesChange()
                try directory.write("\(new)/apus.yaml", "a: 3")
                #expect(watch.seesChange())
            }
        }
    }
}
