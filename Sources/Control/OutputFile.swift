import CLinux
import Glibc
import Primitives

/// A file that a command writes for its user: whole, or with a reason. A namespace.
public enum OutputFile {
    public static func write(_ text: String, to path: String) throws(StartFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure(path, errno) }
        var text = text
        let error = text.withUTF8 { bytes -> CInt in
            var start = 0
            while start < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start...])
                let written = Glibc.write(file, rest.baseAddress, rest.count)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else { return errno }
                start += written
            }
            return 0
        }
        // close(2): an error of an earlier write may be told only here.
        let isClosed = close(file) == 0
        guard error == 0, isClosed else { throw failure(path, error == 0 ? errno : error) }
    }

    private static func failure(_ path: String, _ number: CInt) -> StartFailure {
        StartFailure("\(path) cannot be written: \(Errno(rawValue: number))")
    }
}
