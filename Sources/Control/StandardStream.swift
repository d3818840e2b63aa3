import CLinux

/// Standard output or error, unbuffered: the process may end by `_exit(2)` with nothing lost.
public enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// A stream that is closed or full loses the text: there is nobody left to tell.
    public func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let written = apus_write(rawValue, bytes.baseAddress! + start, bytes.count - start)
                if written == -Int(EINTR) { continue }
                guard written > 0 else { return }
                start += written
            }
        }
    }
}
