import CLinux
import Glibc
import Primitives

/// The file of a Unix socket that this process made: removed at exit if it is still the same.
struct UnixSocketFile: Hashable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Nil for an abstract name, which vanishes with its socket.
    init?(_ path: String) {
        var status = stat()
        guard !path.hasPrefix("@"), lstat(path, &status) == 0 else { return nil }
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    func remove() {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        // Another process may have put its own socket there since.
        guard status.st_dev == device, status.st_ino == inode else { return }
        unlink(path)
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
