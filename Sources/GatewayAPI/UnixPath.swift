import Manifest
import Primitives

/// What may stand for a Unix socket: an absolute path, or `@name` in Linux's abstract namespace.
enum UnixPath {
    /// The path, or nil with a finding.
    static func checked(_ text: Located<String>, path: String, log: FindingLog) -> String? {
        let bytes = text.value.utf8
        let fault: String?
        switch bytes.first {
        case UInt8(ascii: "/"), UInt8(ascii: "@"):
            if bytes.count < 2 {
                fault = "\"\(text.value)\" names no socket; write /path or @name"
            } else if bytes.count > SocketAddress.unixPathBytesMax {
                fault =
                    "has \(bytes.count) bytes; the kernel takes \(SocketAddress.unixPathBytesMax) "
                    + "(sun_path of unix(7), which is 108 with its terminating zero)"
            } else if bytes.contains(0) {
                fault = "has a zero byte, which ends a path"
            } else {
                fault = nil
            }
        default:
            fault = "must be an absolute path or an abstract @name"
        }
        guard let fault else { return text.value }
        log.error(at: text.place, path: path, fault)
        return nil
    }
}
