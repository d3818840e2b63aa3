import Engine

/// Turns counters of refusals into sentences for the log: what was added since it last looked, so
/// one line a second and kind at most, and none while nothing happens. Control thread.
struct OverloadReport {
    private var last = Statistics.Values()

    /// - Returns: one sentence for each kind of trouble since the last call.
    mutating func sentences(_ now: Statistics.Values, connectionsMax: Int) -> [String] {
        var lines: [String] = []
        for (reason, text) in Self.reasons {
            let count = now[reason] &- last[reason]
            if count > 0 { lines.append(Self.sentence(count, text, connectionsMax)) }
        }
        for (counter, text) in Self.counters {
            let count = now[counter] &- last[counter]
            if count > 0 { lines.append(Self.sentence(count, text, connectionsMax)) }
        }
        last = now
        return lines
    }

    /// `#` stands for how many, `@` for the limit on connections, `(s)` for a plural.
    private static func sentence(_ count: UInt64, _ text: String, _ limit: Int) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            switch word {
            case "#": "\(count)"
            case "@": "\(limit)"
            default:
                word.hasSuffix("(s)") ? word.dropLast(3) + (count == 1 ? "" : "s") : String(word)
            }
        }.joined(separator: " ")
    }

    private static let reasons: [(TerminationReason, String)] = [
        (.totalLimit, "# connection(s) or flow(s) refused at the limit of @ (--connections-max)"),
        (.listenerLimit, "# connection(s) refused at their listener's own limit"),
        (.flowEvicted, "# UDP flow(s) ended early to make room for new ones"),
        (.outOfDescriptors, "# connection(s) ended for want of descriptors: raise `ulimit -n`"),
        (.outOfBuffers, "# connection(s) ended for want of buffers"),
    ]

    private static let counters: [(Counters.Counter, String)] = [
        (.acceptPauses, "accepting paused # time(s), clients wait in the backlog"),
        (.acceptFailures, "accepting failed # time(s)"),
        (.bufferStarvations, "receiving waited # time(s) for a free buffer"),
        (.datagramsDropped, "# datagram(s) dropped"),
        (.pipeRefusals, "# transfer(s) copied instead of spliced for want of pipes"),
    ]
}
