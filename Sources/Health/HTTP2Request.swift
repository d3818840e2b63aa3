import Routing

/// One request by HTTP/2: its fields in order, and its body. A value.
struct HTTP2Request {
    var fields: [(name: String, value: String)]
    var body: [UInt8]

    init(_ probe: HealthCheckPlan.HTTPProbe, host: String) {
        fields = Self.fields(probe.method, HTTP1Exchange.target(probe.path), host)
        if !probe.body.isEmpty { fields.append(("content-length", "\(probe.body.count)")) }
        body = probe.body
    }

    /// `grpc.health.v1.Health/Check`.
    init(healthOf service: String, host: String, timeoutMilliseconds: UInt32) {
        fields = Self.fields("POST", "/grpc.health.v1.Health/Check", host)
        fields += [
            ("te", "trailers"), ("content-type", "application/grpc"),
            // Eight digits at most.
            ("grpc-timeout", "\(min(timeoutMilliseconds, 99_999_999))m"),
        ]
        body = GRPCAnswer.framed(GRPCAnswer.request(service: service))
    }

    private static func fields(
        _ method: String, _ path: String, _ host: String
    ) -> [(name: String, value: String)] {
        [
            (":method", method), (":scheme", "http"), (":authority", host), (":path", path),
            ("user-agent", HTTP1Exchange.userAgent),
        ]
    }
}
