import Control
import Engine
import Manifest

/// A family of counters or gauges that differ in one label. Envoy's names where the meaning is the
/// same, else names of our own. A value.
struct Statistic: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case counter, gauge }

    /// What the samples are of: it stands before the name, and names the label.
    enum Subject: Hashable, Sendable {
        // Envoy's.
        case server, cluster, listener, tcp, udp
        /// The process, by our own names; with a label or without.
        case process(label: String?)

        var prefix: String {
            switch self {
            case .server: "server"
            case .cluster: "cluster"
            case .listener: "listener"
            case .tcp: "tcp"
            case .udp: "udp"
            case .process: "apus"
            }
        }

        /// As Envoy tags them (`well_known_names.cc`).
        var label: String? {
            switch self {
            case .server: nil
            case .cluster: "envoy_cluster_name"
            case .listener: "envoy_listener_address"
            case .tcp: "envoy_tcp_prefix"
            case .udp: "envoy_udp_prefix"
            case .process(let label): label
            }
        }
    }

    struct Sample: Hashable, Sendable {
        /// The label's value, where there is a label.
        var tag: String?
        var value: UInt64
    }

    var subject: Subject
    /// In snake case, without what stands before it.
    var name: String
    var kind: Kind
    /// One sentence.
    var help: String
    var samples: [Sample]

    /// As `/stats` calls it: Envoy has the label's value before the name.
    func textName(of sample: Sample) -> String {
        guard let tag = sample.tag else { return "\(subject.prefix).\(name)" }
        if case .process = subject { return "\(subject.prefix).\(name).\(tag)" }
        return "\(subject.prefix).\(tag).\(name)"
    }

    var prometheusName: String {
        if case .process = subject { return "\(subject.prefix)_\(name)" }
        return "envoy_\(subject.prefix)_\(name)"
    }

    /// By the names' ends, Prometheus' rules expect a type that some of Envoy's names do not have;
    /// without a type such a name breaks no rule.
    var prometheusType: String {
        let isTotal = name.hasSuffix("_total")
        return switch kind {
        case .counter: isTotal ? "counter" : "untyped"
        case .gauge: isTotal ? "untyped" : "gauge"
        }
    }

    /// Nil when nothing is left.
    /// - Parameter pattern: for names as `/stats` has them.
    func filtered(by pattern: Pattern?, isUsedOnly: Bool) -> Statistic? {
        var left = self
        left.samples = samples.filter { sample in
            (!isUsedOnly || sample.value != 0)
                && (pattern.map { $0.matches(textName(of: sample)) } ?? true)
        }
        return left.samples.isEmpty ? nil : left
    }
}

// MARK: - Of the process

extension Statistic {
    static func all(of snapshot: Snapshot) -> [Statistic] {
        server(snapshot) + clusters(snapshot.clusters) + transports(snapshot.totals)
            + counters(snapshot.totals) + [terminations(snapshot.totals), faults(snapshot.totals)]
    }

    private static func server(_ snapshot: Snapshot) -> [Statistic] {
        func gauge(_ name: String, _ value: UInt64, _ help: String) -> Statistic {
            Statistic(
                subject: .server, name: name, kind: .gauge, help: help,
                samples: [Sample(tag: nil, value: value)])
        }
        return [
            gauge("uptime", snapshot.uptimeMilliseconds / 1_000, "Seconds since the start."),
            gauge(
                "live", snapshot.state == .live ? 1 : 0,
                "1 while it is neither starting nor draining."),
            gauge("state", UInt64(snapshot.state.rawValue), "0 live, 1 draining, 3 initializing."),
            gauge("concurrency", UInt64(snapshot.workerCount), "Worker threads."),
            gauge(
                "total_connections", snapshot.totals[.connectionsLive],
                "TCP connections of clients that live."),
        ]
    }

    private static func clusters(_ clusters: [Snapshot.Cluster]) -> [Statistic] {
        func family(
            _ name: String, _ kind: Kind, _ help: String,
            _ value: (Snapshot.Cluster) -> UInt64
        ) -> Statistic {
            Statistic(
                subject: .cluster, name: name, kind: kind, help: help,
                samples: clusters.map { Sample(tag: $0.name, value: value($0)) })
        }
        // Endpoints that leave take their counts along: these may fall, and Prometheus takes that
        // for a start at 0, as it does with Envoy's hosts.
        func sum(_ value: @escaping (Snapshot.Endpoint) -> UInt64) -> (Snapshot.Cluster) -> UInt64 {
            { $0.endpoints.reduce(0) { $0 &+ value($1) } }
        }
        return [
            family(
                "upstream_cx_total", .counter, "Connections and flows led to its endpoints.",
                sum(\.led)),
            family(
                "upstream_cx_active", .gauge, "Connections and flows that its endpoints serve.",
                sum { UInt64(max(0, $0.live)) }),
            family(
                "upstream_cx_connect_fail", .counter,
                "Connects to its endpoints that failed, and datagrams refused.", sum(\.failures)),
            family("membership_total", .gauge, "Its endpoints.") {
                UInt64($0.endpoints.count { $0.state != .draining })
            },
            family("membership_healthy", .gauge, "Its endpoints that are healthy.") {
                UInt64($0.endpoints.count(where: \.isHealthy))
            },
            family(
                "outlier_detection_ejections_active", .gauge,
                "Its endpoints that are left out after failures.",
                sum { $0.flags.contains(.failedOutlierCheck) ? 1 : 0 }),
            family(
                "outlier_detection_ejections_enforced_total", .counter,
                "How often its endpoints were left out.", sum { UInt64($0.ejections) }),
            Statistic(
                subject: .process(label: "cluster"), name: "sources_unnoted_total",
                kind: .counter,
                help: "How often a source passed its limits for want of a place to note it.",
                samples: clusters.map { Sample(tag: $0.name, value: $0.sourcesUnnoted) }),
        ].filter { !$0.samples.isEmpty }
    }

    /// Envoy has these by filter; here the whole process is one.
    private static func transports(_ totals: Statistics.Values) -> [Statistic] {
        func one(
            _ subject: Subject, _ name: String, _ kind: Kind, _ counter: Counters.Counter,
            _ help: String
        ) -> Statistic {
            Statistic(
                subject: subject, name: name, kind: kind, help: help,
                samples: [Sample(tag: "apus", value: totals[counter])])
        }
        return [
            one(.tcp, "downstream_cx_total", .counter, .connectionsAccepted, "TCP connections."),
            one(.udp, "downstream_sess_total", .counter, .flowsAccepted, "UDP flows."),
            one(
                .udp, "downstream_sess_active", .gauge, .flowsLive, "UDP flows that live."),
            one(
                .udp, "downstream_sess_rx_datagrams", .counter, .datagramsFromClients,
                "Datagrams of clients."),
            one(
                .udp, "downstream_sess_tx_datagrams", .counter, .datagramsFromEndpoints,
                "Datagrams of endpoints, sent on to clients."),
        ]
    }

    private static func counters(_ totals: Statistics.Values) -> [Statistic] {
        Counters.Counter.allCases.map { counter in
            let name = counter.name.reduce(into: "") { text, character in
                if character.isUppercase { text += "_" }
                text += character.lowercased()
            }
            return Statistic(
                subject: .process(label: nil), name: counter.isGauge ? name : name + "_total",
                kind: counter.isGauge ? .gauge : .counter, help: counter.help,
                samples: [Sample(tag: nil, value: totals[counter])])
        }
    }

    private static func terminations(_ totals: Statistics.Values) -> Statistic {
        Statistic(
            subject: .process(label: "reason"), name: "terminations_total", kind: .counter,
            help: "Connections and flows that ended, by the one reason of each.",
            samples: TerminationReason.allCases.map { Sample(tag: $0.name, value: totals[$0]) })
    }

    private static func faults(_ totals: Statistics.Values) -> Statistic {
        Statistic(
            subject: .process(label: "reason"), name: "request_faults_total", kind: .counter,
            help: "Requests that were answered by no endpoint, by the reason of each.",
            samples: RequestFault.allCases.map { Sample(tag: $0.name, value: totals[$0]) })
    }
}

extension Counters.Counter {
    fileprivate var isGauge: Bool {
        switch self {
        case .connectionsLive, .flowsLive, .pipesInUse, .buffersHeld: true
        default: false
        }
    }

    fileprivate var help: String {
        switch self {
        case .connectionsAccepted: "TCP connections accepted."
        case .connectionsLive: "TCP connections that live."
        case .flowsAccepted: "UDP flows begun."
        case .flowsLive: "UDP flows that live."
        case .bytesFromClients: "Bytes that clients sent, of connections that ended and of flows."
        case .bytesFromEndpoints:
            "Bytes that endpoints sent, of connections that ended and of flows."
        case .datagramsFromClients: "Datagrams that clients sent."
        case .datagramsFromEndpoints: "Datagrams that endpoints sent."
        case .datagramsDropped: "Datagrams that could not be passed on."
        case .dialAttempts: "Connects to endpoints begun."
        case .dialFailures: "Connects to endpoints that failed."
        case .endpointRefusals: "Datagrams that endpoints refused."
        case .splicedBytes: "Bytes that went by without entering user space."
        case .pipesInUse: "Pipes that bulk transfers hold."
        case .pipeRefusals: "Transfers copied for want of a pipe."
        case .buffersHeld: "Receive buffers that hold data."
        case .bufferStarvations: "Times that receiving waited for a free buffer."
        case .acceptPauses: "Times that accepting paused."
        case .acceptFailures: "Accepts that failed."
        case .requests: "Requests of HTTP whose heads were read."
        case .requestsRepeated: "Requests sent again after a failure."
        case .retriesRefused: "Requests not sent again because too many of the cluster were."
        case .requestsTimedOut: "Requests whose time was over before the answer was whole."
        case .sessionsFailed: "Connections of HTTP/2 ended because the peer broke the protocol."
        case .floodsRefused: "Connections of HTTP/2 ended because of a flood of frames."
        case .streamsRefused: "Streams of HTTP/2 that there was no room for."
        case .answersCut: "Answers that were cut short because the endpoint failed."
        case .answers1xx: "Interim answers, and upgrades."
        case .answers2xx: "Answers of success."
        case .answers3xx: "Answers that lead elsewhere."
        case .answers4xx: "Answers that blame the client."
        case .answers5xx: "Answers that blame the server."
        case .staleCompletions: "Completions that came after their connection had ended."
        case .unexpectedErrors: "Errors of the system that no rule is made for."
        case .turns: "Turns of the workers' loops."
        }
    }
}
