import CLinux
import Primitives

/// The resolver's two files of the system, and whether they have changed. They are looked at by
/// stat(2) each second rather than watched by inotify: it follows links (systemd's) and sees files
/// that are mounted over (containers'), and the C library does the same. Owned by the resolver's
/// thread.
struct SystemFiles {
    /// What tells one content of a path from another.
    private struct Stamp: Hashable {
        var device: UInt64 = 0
        var file: UInt64 = 0
        var size: Int64 = 0
        var seconds: Int = 0
        var nanoseconds: Int = 0

        init(_ path: String) {
            var status = stat()
            // No file is one content, too.
            guard stat(path, &status) == 0 else { return }
            device = UInt64(status.st_dev)
            file = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    private let configurationPath: String
    private let hostsPath: String
    private var read: [Stamp] = []
    private var seen: [Stamp] = []

    /// What is read of a file; the rest is ignored.
    static let bytesMax = 4 << 20

    init(configurationPath: String, hostsPath: String) {
        self.configurationPath = configurationPath
        self.hostsPath = hostsPath
    }

    private var stamps: [Stamp] { [Stamp(configurationPath), Stamp(hostsPath)] }

    /// True when a file is not what it was when it was last read, and was the same at the call
    /// before: who writes it in place is then likely done.
    mutating func hasChanged() -> Bool {
        let now = stamps
        defer { seen = now }
        return now != read && now == seen
    }

    mutating func load() -> (system: SystemConfiguration, hosts: HostsFile) {
        // Before the reading, so that a change meanwhile is seen.
        read = stamps
        seen = read
        let system = Self.text(of: configurationPath).map(SystemConfiguration.init(_:))
        let hosts = Self.text(of: hostsPath).map(HostsFile.init(_:))
        return (system ?? SystemConfiguration(), hosts ?? HostsFile())
    }

    /// Nil when it cannot be read.
    private static func text(of path: String) -> String? {
        let descriptor = apus_open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = apus_close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < bytesMax {
            let count = apus_read(descriptor, &piece, piece.count)
            if count == -Int(EINTR) { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
