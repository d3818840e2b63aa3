import CLinux
import Glibc

/// Which directories show that the configuration at some paths may read differently now, and by
/// which names in them: each step that a path takes through a symbolic link, the file's own
/// directory, and of a missing path the last directory that is there. A value; worked out anew at
/// each reload, because links may lead elsewhere by then.
struct WatchedPlaces: Equatable {
    struct Names: Equatable {
        /// Every name that a configuration file may have.
        var anyConfiguration = false
        var names: Set<String> = []

        func contains(_ name: String) -> Bool {
            names.contains(name) || (anyConfiguration && ConfigurationFiles.isConfiguration(name))
        }
    }

    /// Directories, without links in their paths.
    private(set) var directories: [String: Names] = [:]

    /// Links to links, as the kernel bounds them (`path_resolution(7)`).
    private static let linksMax = 40

    init(_ paths: [String]) {
        for path in paths {
            guard let directory = follow(path) else { continue }
            directories[directory, default: Names()].anyConfiguration = true
            guard let entries = opendir(directory) else { continue }
            defer { closedir(entries) }
            while let entry = readdir(entries) {
                let name = String(cString: apus_entry_name(entry))
                if ConfigurationFiles.isConfiguration(name) { _ = follow("\(directory)/\(name)") }
            }
        }
    }

    /// Notes the steps of a path.
    /// - Returns: the directory that it leads to; nil when it is a file, or missing.
    private mutating func follow(_ path: String) -> String? {
        var current = ""
        var rest = Self.parts(path.hasPrefix("/") ? path : "\(Self.workingDirectory)/\(path)")
        var linksLeft = Self.linksMax
        while let name = rest.popLast() {
            if name == ".." {
                current = String(current[..<(current.lastIndex(of: "/") ?? current.startIndex)])
                continue
            }
            let step = "\(current)/\(name)"
            var status = stat()
            guard lstat(step, &status) == 0 else {
                note(name, in: current)
                return nil
            }
            switch status.st_mode & S_IFMT {
            case S_IFLNK:
                note(name, in: current)
                linksLeft -= 1
                guard linksLeft > 0, let target = Self.target(of: step) else { return nil }
                if target.hasPrefix("/") { current = "" }
                rest += Self.parts(target)
            case S_IFDIR:
                current = step
            default:
                note(name, in: current)
                return nil
            }
        }
        return current.isEmpty ? "/" : current
    }

    private mutating func note(_ name: String, in directory: String) {
        directories[directory.isEmpty ? "/" : directory, default: Names()].names.insert(name)
    }

    /// Last part first.
    private static func parts(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.reversed().map(String.init)
    }

    private static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }

    private static func target(of link: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink(link, buffer.baseAddress!, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }
}
