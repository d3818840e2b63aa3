import CLinux
import Engine
import Glibc
import Primitives

/// The counters of all workers at one moment.
public struct Statistics {
    /// Of one worker, or the sum over all.
    public struct Values: Hashable, Sendable {
        /// By `Counters.Counter` in the order of its cases, and likewise for the reasons.
        var counters = [UInt64](repeating: 0, count: Counters.Counter.allCases.count)
        var terminations = [UInt64](repeating: 0, count: TerminationReason.allCases.count)
        var faults = [UInt64](repeating: 0, count: RequestFault.allCases.count)

        public init() {}

        init(_ source: Counters) {
            counters = Counters.Counter.allCases.map { source[$0] }
            terminations = TerminationReason.allCases.map { source[$0] }
            faults = RequestFault.allCases.map { source[$0] }
        }

        public subscript(counter: Counters.Counter) -> UInt64 {
            get { counters[Int(counter.rawValue)] }
            set { counters[Int(counter.rawValue)] = newValue }
        }

        public subscript(reason: TerminationReason) -> UInt64 {
            get { terminations[Int(reason.rawValue)] }
            set { terminations[Int(reason.rawValue)] = newValue }
        }

        public subscript(fault: RequestFault) -> UInt64 {
            get { faults[Int(fault.rawValue)] }
            set { faults[Int(fault.rawValue)] = newValue }
        }

        /// A gauge may be read between two of a worker's steps: sums wrap rather than trap.
        static func + (left: Values, right: Values) -> Values {
            var sum = Values()
            sum.counters = zip(left.counters, right.counters).map { $0 &+ $1 }
            sum.terminations = zip(left.terminations, right.terminations).map { $0 &+ $1 }
            sum.faults = zip(left.faults, right.faults).map { $0 &+ $1 }
            return sum
        }

        /// Names with their values, counters first.
        var named: [(name: String, value: UInt64)] {
            zip(Counters.Counter.allCases, counters).map { ($0.name, $1) }
                + zip(TerminationReason.allCases, terminations).map { ($0.name, $1) }
                + zip(RequestFault.allCases, faults).map { ("request_" + $0.name, $1) }
        }
    }

    var workers: [Values]
    var connectionsMax: Int
    var uptimeMilliseconds: UInt64

    var sum: Values { workers.reduce(Values(), +) }

    /// What is not zero, as `name=value`.
    var summary: String {
        sum.named.filter { $0.value != 0 }.map { "\($0.name)=\($0.value)" }
            .joined(separator: " ")
    }

    // MARK: - JSON

    /// RFC 8259. Names are Swift identifiers or snake case: nothing needs escaping.
    var json: String {
        let parts = workers.enumerated().map { index, values in
            "    {\"index\": \(index),\n\(Self.json(values, indent: "     "))}"
        }
        return """
            {
              "version": "\(Version.text)",
              "uptime_milliseconds": \(uptimeMilliseconds),
              "connections_max": \(connectionsMax),
            \(Self.json(sum, indent: "  ")),
              "workers": [
            \(parts.joined(separator: ",\n"))
              ]
            }

            """
    }

    private static func json(_ values: Values, indent: String) -> String {
        let counters = zip(Counters.Counter.allCases, values.counters)
            .map { "\"\($0.name)\": \($1)" }
        let reasons = zip(TerminationReason.allCases, values.terminations)
            .map { "\"\($0.name)\": \($1)" }
        let faults = zip(RequestFault.allCases, values.faults).map { "\"\($0.name)\": \($1)" }
        return "\(indent)\"counters\": {\(counters.joined(separator: ", "))},\n"
            + "\(indent)\"terminations\": {\(reasons.joined(separator: ", "))},\n"
            + "\(indent)\"request_faults\": {\(faults.joined(separator: ", "))}"
    }

    /// Writes a file beside the path and renames it, so that a reader never sees a part.
    func write(to path: String) throws(StartFailure) {
        let partial = path + ".partial"
        let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Self.failure(path) }
        var text = json
        let isWhole = text.withUTF8 { bytes in
            Glibc.write(file, bytes.baseAddress, bytes.count) == bytes.count
        }
        guard close(file) == 0, isWhole, rename(partial, path) == 0 else {
            throw Self.failure(path)
        }
    }

    private static func failure(_ path: String) -> StartFailure {
        StartFailure("the statistics cannot be written to \(path): \(Errno(rawValue: errno))")
    }
}
