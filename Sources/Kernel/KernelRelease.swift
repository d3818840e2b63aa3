import CLinux

/// The version of the running kernel (`uname(2)`).
public struct KernelRelease: Hashable, Sendable {
    public let text: String
    public let major: Int
    public let minor: Int

    /// - Parameter text: as `6.1.0-56-amd64`. What cannot be read counts as 0.
    public init(_ text: String) {
        self.text = text
        let parts = text.split(whereSeparator: { $0 == "." || $0 == "-" || $0 == "+" })
        major = parts.first.flatMap { Int($0) } ?? 0
        minor = parts.dropFirst().first.flatMap { Int($0) } ?? 0
    }

    public static var running: KernelRelease {
        var names = utsname()
        guard uname(&names) == 0 else { return KernelRelease("unknown") }
        return withUnsafeBytes(of: &names.release) { raw in
            KernelRelease(String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    public func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        (self.major, self.minor) >= (major, minor)
    }
}
