import CLinux
import Glibc
import Primitives

/// The configuration's texts, read from files and directories. A directory stands for its own
/// `*.yaml`, `*.yml` and `*.json` files in the order of their names, not for those of directories
/// in it.
public enum ConfigurationFiles {
    /// What the decoder is given.
    public typealias File = (path: String, text: String)

    /// A configuration is written by people or their programs; more is a wrong path.
    static let bytesMax = 64 << 20

    public static func read(_ paths: [String]) throws(StartFailure) -> [File] {
        var files: [File] = []
        var seen = Set<String>()
        for path in paths {
            for file in try expand(path) where seen.insert(file).inserted {
                files.append((path: file, text: try text(of: file)))
            }
        }
        return files
    }

    /// A file's path itself, or those of the files in a directory.
    private static func expand(_ path: String) throws(StartFailure) -> [String] {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw failure(path, Errno(rawValue: errno))
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [path] }
        let directory = path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
        let names = try entries(of: path).filter(isConfiguration).sorted()
        guard !names.isEmpty else {
            throw StartFailure(
                "the directory \(path) has no configuration: put *.yaml, *.yml or *.json files "
                    + "directly into it, or name another one with --config")
        }
        return names.map { directory + $0 }
    }

    static func isConfiguration(_ name: String) -> Bool {
        // A dot at the beginning: editors' and Kubernetes' (`..data`) working files.
        !name.hasPrefix(".")
            && (name.hasSuffix(".yaml") || name.hasSuffix(".yml") || name.hasSuffix(".json"))
    }

    private static func entries(of path: String) throws(StartFailure) -> [String] {
        guard let directory = opendir(path) else { throw failure(path, Errno(rawValue: errno)) }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            names.append(String(cString: apus_entry_name(entry)))
            errno = 0
        }
        // readdir(3): the end and an error differ by errno alone.
        guard errno == 0 else { throw failure(path, Errno(rawValue: errno)) }
        return names
    }

    static func text(of path: String, bytesMax: Int = bytesMax) throws(StartFailure) -> String {
        let file = apus_open(path, O_RDONLY | O_CLOEXEC)
        if let error = Errno(result: Int(file)) { throw failure(path, error) }
        defer { _ = apus_close(file) }
        var bytes: [UInt8] = []
        while true {
            let count = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { chunk in
                let count = apus_read(file, chunk.baseAddress, chunk.count)
                if count > 0 { bytes.append(contentsOf: UnsafeRawBufferPointer(chunk)[..<count]) }
                return count
            }
            if count == -Int(EINTR) { continue }
            if let error = Errno(result: count) { throw failure(path, error) }
            if count == 0 { break }
            guard bytes.count <= bytesMax else {
                throw StartFailure(
                    "\(path) has more than \(bytesMax) bytes, which no configuration has: "
                        + "name another file with --config")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StartFailure("\(path) is no UTF-8 text: save it as UTF-8")
        }
        return text
    }

    static func failure(_ path: String, _ error: Errno) -> StartFailure {
        let hint =
            switch error.rawValue {
            case ENOENT: "there is no such file or directory: check the path given to --config"
            case ENOTDIR: "a part of the path is no directory: check the path given to --config"
            case EACCES: "no permission to read it: see `namei -l \(path)`"
            case EMFILE, ENFILE: "out of descriptors: raise `ulimit -n`"
            default: "\(error)"
            }
        return StartFailure("the configuration \(path) cannot be read: \(hint)")
    }
}
