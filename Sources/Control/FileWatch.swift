import CLinux
import Glibc
import Kernel
import Primitives

/// Tells that configuration files may have changed (`inotify(7)`). Directories are watched, not
/// files: whoever replaces a file by renaming another over it leaves nothing of the old one to be
/// told by. Owned by the control thread.
struct FileWatch: ~Copyable {
    /// A directory that cannot be watched.
    struct Failure {
        let directory: String
        let error: Errno
    }

    let descriptor: Descriptor
    private let paths: [String]
    private var places = WatchedPlaces([])
    private var names: [Int32: (directory: String, names: WatchedPlaces.Names)] = [:]

    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ONLYDIR)

    /// - Throws: EMFILE (`fs.inotify.max_user_instances`, or descriptors) or ENFILE.
    init(_ paths: [String]) throws(Errno) {
        let result = apus_inotify()
        if let error = Errno(result: Int(result)) { throw error }
        descriptor = result
        self.paths = paths
    }

    deinit {
        _ = apus_close(descriptor)
    }

    // MARK: - What is watched

    /// Follows the paths anew. Called before the files are read, so that a change after that is
    /// told.
    /// - Returns: the directories that cannot be watched.
    mutating func renew() -> [Failure] {
        places = WatchedPlaces(paths)
        var failures: [Failure] = []
        var renewed: [Int32: (directory: String, names: WatchedPlaces.Names)] = [:]
        for (directory, wanted) in places.directories {
            // Adding a directory that is watched already gives its number again.
            let watch = apus_inotify_add(descriptor, directory, Self.mask)
            if let error = Errno(result: Int(watch)) {
                failures.append(Failure(directory: directory, error: error))
            } else {
                // Two paths may lead to one directory, by a bind mount.
                var names = renewed[watch]?.names ?? WatchedPlaces.Names()
                names.anyConfiguration = names.anyConfiguration || wanted.anyConfiguration
                names.names.formUnion(wanted.names)
                renewed[watch] = (directory, names)
            }
        }
        for watch in names.keys where renewed[watch] == nil {
            // Fails where the kernel has ended it, with its directory.
            _ = apus_inotify_remove(descriptor, watch)
        }
        names = renewed
        return failures
    }

    // MARK: - Events

    /// Takes the events that wait; true when one of them may have changed the configuration.
    mutating func takeEvents() -> Bool {
        var isChanged = false
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            while true {
                let count = apus_read(descriptor, buffer.baseAddress, buffer.count)
                if count == -Int(EINTR) { continue }
                guard count > 0 else { break }
                if concerns(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { isChanged = true }
            }
        }
        return isChanged
    }

    private func concerns(_ events: UnsafeRawBufferPointer) -> Bool {
        let headBytes = MemoryLayout<inotify_event>.size
        var offset = 0
        var isChanged = false
        while offset + headBytes <= events.count {
            let event = events.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let start = offset + headBytes
            offset = start + Int(event.len)
            let name = events[start..<offset].prefix { $0 != 0 }
            if concerns(event, name: String(decoding: name, as: UTF8.self)) { isChanged = true }
        }
        return isChanged
    }

    private func concerns(_ event: inotify_event, name: String) -> Bool {
        // Events were lost: any of them may have concerned us.
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return true }
        guard let watched = names[event.wd] else { return false }
        if event.mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT) != 0 { return true }
        guard watched.names.contains(name) else { return false }
        guard event.mask & UInt32(IN_CREATE) != 0 else { return true }
        return isWhole("\(watched.directory)/\(name)")
    }

    /// Whether what was created is complete at once, as a link or a directory is. A new file is
    /// complete when it is closed, which has an event of its own.
    private func isWhole(_ path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return true }
        return status.st_mode & S_IFMT != S_IFREG || status.st_nlink > 1
    }
}
