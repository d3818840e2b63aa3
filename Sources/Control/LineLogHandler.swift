import CLinux
import Logging

/// Writes one line to standard error for each event: time (ISO 8601, UTC), level, message. Each
/// line is one `write(2)`, so that lines of several threads do not mix.
public struct LineLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]

    public init(level: Logger.Level) {
        logLevel = level
    }

    public static func logger(level: Logger.Level) -> Logger {
        Logger(label: "apus", factory: { _ in LineLogHandler(level: level) })
    }

    public func log(event: LogEvent) {
        var line = Self.timestamp(Self.now())
        line += " \(event.level.rawValue) \(event.message)"
        let own = metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
        for (key, value) in own.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(value)"
        }
        StandardStream.error.write(line + "\n")
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    private static func now() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }

    /// As `2026-11-23T00:30:14.042Z`.
    static func timestamp(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let date =
            "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))"
            + "-\(digits(Int(parts.tm_mday), 2))"
        let clock =
            "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2))"
            + ":\(digits(Int(parts.tm_sec), 2))"
        return "\(date)T\(clock).\(digits(Int(time.tv_nsec) / 1_000_000, 3))Z"
    }
}
