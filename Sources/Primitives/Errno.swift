import CLinux

/// An error number of the kernel (`errno(3)`), positive.
public struct Errno: Error, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// - Parameter result: what a call answered: an error when below zero.
    public init?(result: Int) {
        guard result < 0 else { return nil }
        rawValue = Int32(-result)
    }
}

extension Errno: CustomStringConvertible {
    /// As "Connection refused (ECONNREFUSED)".
    public var description: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
            let message = String(cString: strerror_r(rawValue, text.baseAddress!, text.count))
            guard let name = strerrorname_np(rawValue) else { return message }
            return "\(message) (\(String(cString: name)))"
        }
    }
}
