import CLinux
import Glibc
import Primitives

/// The file of a Unix socket that this process made: removed at exit if it is still the same.
struct UnixSocketFile: Hashable {
    /// A file system gives the number of a file that was removed to the next one, so the time of
    /// its birth is looked at too. The time of change would be of no use: `chmod(1)` sets it.
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
        let bornSeconds: Int64
        let bornNanoseconds: UInt32
    }

    private let path: String
    private let identity: Identity

    /// Nil for an abstract name, which vanishes with its socket.
    init?(_ path: String) {
        guard !path.hasPrefix("@"), let identity = Self.identity(of: path) else { return nil }
        self.path = path
        self.identity = identity
    }

    func remove() {
        // Another process may have put something of its own there since.
        if Self.identity(of: path) == identity { unlink(path) }
    }

    /// Nil when there is no socket at the path. Some file systems know no time of birth
    /// (`statx(2)`): it is then 0 both times.
    private static func identity(of path: String) -> Identity? {
        var status = statx()
        let wanted = UInt32(STATX_TYPE | STATX_INO | STATX_BTIME)
        guard statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, wanted, &status) == 0 else { return nil }
        guard UInt32(status.stx_mode) & S_IFMT == S_IFSOCK else { return nil }
        return Identity(
            device: UInt64(status.stx_dev_major) << 32 | UInt64(status.stx_dev_minor),
            inode: status.stx_ino, bornSeconds: status.stx_btime.tv_sec,
            bornNanoseconds: status.stx_btime.tv_nsec)
    }

    /// Whether a socket can be bound at the path; the socket file that a dead process left is
    /// removed. Nobody listens behind a file when connecting to it is refused (`unix(7)`).
    /// - Throws: ENOTSOCK when something else is there.
    static func isFree(_ path: String) throws(Errno) -> Bool {
        guard !path.hasPrefix("@") else { return true }
        var status = stat()
        // An error other than "is not there" comes again, and better placed, from bind(2).
        guard lstat(path, &status) == 0 else { return true }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw Errno(rawValue: ENOTSOCK) }
        let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let socket = apus_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | flags), 0)
        if let error = Errno(result: Int(socket)) { throw error }
        defer { _ = apus_close(socket) }
        var raw = SocketAddress.unix(path: path).raw
        let result = apus_connect(socket, &raw.storage, raw.length)
        guard result == -ECONNREFUSED else { return false }
        guard unlink(path) == 0 else { throw Errno(rawValue: errno) }
        return true
    }
}
