import Testing

@testable import Engine

struct TerminationReasonTests {
    /// Whether a side is told by a reset.
    enum Reset: Sendable { case never, ifHolding, always }

    struct Row: Sendable {
        let reason: TerminationReason
        let name: String
        let client: Reset
        let endpoint: Reset

        init(_ reason: TerminationReason, _ name: String, _ client: Reset, _ endpoint: Reset) {
            (self.reason, self.name) = (reason, name)
            (self.client, self.endpoint) = (client, endpoint)
        }
    }

    private static let table: [Row] = [
        Row(.clientClosed, "client_closed", .never, .never),
        Row(.endpointClosed, "endpoint_closed", .never, .never),
        Row(.clientReset, "client_reset", .never, .always),
        Row(.endpointReset, "endpoint_reset", .always, .never),
        Row(.answered, "answered", .never, .never),
        Row(.flowAnswered, "flow_answered", .never, .never),
        Row(.proxyHeaderMalformed, "proxy_header_malformed", .never, .always),
        Row(.proxyHeaderMissing, "proxy_header_missing", .never, .always),
        Row(.inspectionTimedOut, "inspection_timed_out", .never, .always),
        Row(.helloMissing, "hello_missing", .never, .always),
        Row(.notTLS, "not_tls", .never, .always),
        Row(.helloMalformed, "hello_malformed", .never, .always),
        Row(.helloTooLong, "hello_too_long", .never, .always),
        Row(.serverNameMissing, "server_name_missing", .never, .always),
        Row(.serverUnknown, "server_unknown", .never, .always),
        Row(.serverUnserved, "server_unserved", .never, .always),
        Row(.handshakeFailed, "handshake_failed", .never, .always),
        Row(.handshakeTimedOut, "handshake_timed_out", .never, .always),
        Row(.clientCertificateRefused, "client_certificate_refused", .never, .always),
        Row(.requestMalformed, "request_malformed", .never, .always),
        Row(.clientRecordsFailed, "client_records_failed", .never, .always),
        Row(.clientFailed, "client_failed", .never, .always),
        Row(.clientDenied, "client_denied", .always, .always),
        Row(.connectFailed, "connect_failed", .always, .always),
        Row(.connectTimedOut, "connect_timed_out", .always, .always),
        Row(.endpointHandshakeFailed, "endpoint_handshake_failed", .always, .always),
        Row(.endpointRecordsFailed, "endpoint_records_failed", .always, .never),
        Row(.endpointFailed, "endpoint_failed", .always, .never),
        Row(.endpointDown, "endpoint_down", .ifHolding, .ifHolding),
        Row(.failedBack, "failed_back", .ifHolding, .ifHolding),
        Row(.noEndpoint, "no_endpoint", .always, .always),
        Row(.noRoute, "no_route", .always, .always),
        Row(.idleTimedOut, "idle_timed_out", .ifHolding, .ifHolding),
        Row(.listenerLimit, "listener_limit", .always, .always),
        Row(.totalLimit, "total_limit", .always, .always),
        Row(.clusterLimit, "cluster_limit", .always, .always),
        Row(.pendingLimit, "pending_limit", .always, .always),
        Row(.endpointLimit, "endpoint_limit", .always, .always),
        Row(.sourceLimit, "source_limit", .always, .always),
        Row(.sourceRate, "source_rate", .always, .always),
        Row(.flowEvicted, "flow_evicted", .always, .always),
        Row(.outOfDescriptors, "out_of_descriptors", .always, .always),
        Row(.outOfBuffers, "out_of_buffers", .always, .always),
        Row(.outOfMemory, "out_of_memory", .always, .always),
        Row(.drainTimedOut, "drain_timed_out", .always, .always),
        Row(.listenerRemoved, "listener_removed", .always, .always),
    ]

    @Test("every reason is in the table once")
    func tableIsWhole() {
        #expect(Self.table.map(\.reason) == TerminationReason.allCases)
    }

    @Test("each reason has its name, and tells the right side by a reset", arguments: table)
    func reason(row: Row) {
        #expect(row.reason.name == row.name)
        for isHolding in [false, true] {
            let client = row.client == .always || row.client == .ifHolding && isHolding
            let endpoint = row.endpoint == .always || row.endpoint == .ifHolding && isHolding
            #expect(row.reason.resetsClient(isHolding: isHolding) == client)
            #expect(row.reason.resetsEndpoint(isHolding: isHolding) == endpoint)
        }
    }
}
