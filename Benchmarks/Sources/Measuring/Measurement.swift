/// What one run of a load did, printed as one line of JSON for `tools/bench`.
public struct Measurement: ~Copyable {
    public let mode: String
    /// Requests answered, connections finished, or datagrams that came back.
    public var operations: UInt64 = 0
    public var bytes: UInt64 = 0
    public var nanoseconds: UInt64 = 0
    /// Connections that failed, answers that were not what had been asked for.
    public var errors: UInt64 = 0
    /// Datagrams without an answer.
    public var lost: UInt64 = 0
    public var latency = Histogram()

    public init(mode: String) {
        self.mode = mode
    }

    public var json: String {
        var fields = [
            "\"mode\":\"\(mode)\"", "\"operations\":\(operations)", "\"bytes\":\(bytes)",
            "\"nanoseconds\":\(nanoseconds)", "\"errors\":\(errors)", "\"lost\":\(lost)",
        ]
        if latency.count > 0 {
            let marks = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)]
            let values = marks.map { "\"\($0.0)\":\(latency.percentile($0.1))" }
            fields.append(
                "\"latency\":{\"mean\":\(latency.mean),\(values.joined(separator: ",")),"
                    + "\"max\":\(latency.highest)}")
        }
        return "{\(fields.joined(separator: ","))}"
    }
}
