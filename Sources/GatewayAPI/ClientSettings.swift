import Manifest
import Routing

/// What a ClientTrafficPolicy (gateway.envoyproxy.io/v1alpha1) says of the clients of a listener.
struct ClientSettings {
    private(set) var tcp = TCPListenerPlan()
    private(set) var http = HTTPListenerPlan()
    private(set) var tls = TLSTerminationPlan()
    /// `spec.tls.clientValidation.caCertificateRefs`.
    private(set) var authorities: [ObjectReference] = []
    /// `spec.tls.clientValidation.crl.refs`.
    private(set) var revocations: [ObjectReference] = []

    init(_ spec: Fields, namespace: String) throws(PolicyFault) {
        if let header = spec.mapping("proxyProtocol") {
            tcp.proxyHeader = header.boolean("optional")?.value == true ? .optional : .required
        } else if spec.boolean("enableProxyProtocol")?.value == true {
            tcp.proxyHeader = .required
        }
        tcp.keepalive = try spec.keepalive()
        try readConnection(spec.mapping("connection"))
        let timeout = spec.mapping("timeout")
        if let fields = timeout?.mapping("tcp") {
            tcp.idleTimeoutMilliseconds =
                fields.duration("idleTimeout")?.value ?? tcp.idleTimeoutMilliseconds
            tcp.inspectionTimeoutMilliseconds =
                try fields.positiveDuration("connectionInspectionTimeout")
                ?? tcp.inspectionTimeoutMilliseconds
            tcp.handshakeTimeoutMilliseconds = try fields.positiveDuration("tlsHandshakeTimeout")
        }
        if let fields = timeout?.mapping("http") {
            http.requestReceivedTimeout = fields.duration("requestReceivedTimeout")?.value
            http.headersReceivedTimeout = fields.duration("requestHeadersReceivedTimeout")?.value
            http.idleTimeout = fields.duration("idleTimeout")?.value ?? http.idleTimeout
            http.streamIdleTimeout =
                fields.duration("streamIdleTimeout")?.value ?? http.streamIdleTimeout
        }
        try readHTTP(spec)
        if let fields = spec.mapping("tls") { try readTLS(fields, namespace) }
    }

    private mutating func readConnection(_ fields: Fields?) throws(PolicyFault) {
        guard let fields else { return }
        tcp.bufferBytesMax = try fields.bytes("bufferLimit")
        tcp.acceptsPerEventMax = fields.number("maxAcceptPerSocketEvent")?.value
        guard let limit = fields.mapping("connectionLimit") else { return }
        tcp.connectionsMax = limit.number("value")?.value
        tcp.closeDelayMilliseconds = limit.duration("closeDelay")?.value
        tcp.connectionDurationMaxMilliseconds = limit.duration("maxConnectionDuration")?.value
        http.requestsPerConnectionMax = limit.number("maxRequestsPerConnection")?.value
        http.streamDurationMax = limit.duration("maxStreamDuration")?.value
    }

    private mutating func readHTTP(_ spec: Fields) throws(PolicyFault) {
        http.http2 = try HTTP2Plan(spec.mapping("http2")) ?? http.http2
        http.healthPath = spec.mapping("healthCheck")?.text("path")?.value
        if let headers = spec.mapping("headers") {
            http.underscores =
                headers.text("withUnderscoresAction").flatMap { .init(rawValue: $0.value) }
                ?? http.underscores
            http.headerBytesMax = try headers.bytes("maxRequestHeaderLimit") ?? http.headerBytesMax
        }
        if let path = spec.mapping("path") {
            http.escapedSlashes =
                path.text("escapedSlashesAction").flatMap { .init(rawValue: $0.value) }
                ?? http.escapedSlashes
            http.mergesSlashes = path.boolean("disableMergeSlashes")?.value != true
        }
        guard let detection = spec.mapping("clientIPDetection") else { return }
        if let forwarded = detection.mapping("xForwardedFor") {
            let ranges = forwarded.texts("trustedCIDRs").compactMap { AddressRange($0.value) }
            let hops: UInt32 = forwarded.number("numTrustedHops")?.value ?? 0
            http.clientAddress =
                ranges.isEmpty ? .forwardedFor(hops: hops) : .forwardedForTrusting(ranges)
        } else if let header = detection.mapping("customHeader") {
            http.clientAddress = .header(
                header.text("name")?.value.lowercased() ?? "",
                failsClosed: header.boolean("failClosed")?.value ?? false)
        }
    }

    private mutating func readTLS(_ fields: Fields, _ namespace: String) throws(PolicyFault) {
        tls.settings = try TLSSettings(fields)
        if fields.node("alpnProtocols") != nil {
            tls.alpnProtocols = fields.texts("alpnProtocols").map(\.value)
        }
        if let resumption = fields.mapping("session")?.mapping("resumption") {
            tls.resumesByTicket = resumption.node("stateless") != nil
            tls.resumesByIdentifier = resumption.node("stateful") != nil
        }
        guard let validation = fields.mapping("clientValidation") else { return }
        let isOptional = validation.boolean("optional")?.value == true
        tls.clientValidation =
            validation.text("mode").flatMap { .init(rawValue: $0.value) }
            ?? (isOptional ? .verifyIfGiven : .requireAndVerify)
        authorities = validation.references(
            "caCertificateRefs", kind: "ConfigMap", namespace: namespace)
        revocations =
            validation.mapping("crl")?
            .references("refs", kind: "Secret", namespace: namespace) ?? []
        let rules = ClientCertificateRules(validation)
        if rules != ClientCertificateRules() { tls.clientRules = rules }
    }
}

extension TLSSettings {
    /// Ciphers that OpenSSL and Envoy both name, as OpenSSL writes them.
    static let ciphersKnown: Set<String> = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA",
        "AES256-SHA",
    ]

    init(_ fields: Fields) throws(PolicyFault) {
        self.init()
        // `Auto` is the default.
        versionMin = fields.text("minVersion").flatMap { .init(rawValue: $0.value) } ?? versionMin
        versionMax = fields.text("maxVersion").flatMap { .init(rawValue: $0.value) } ?? versionMax
        for cipher in fields.texts("ciphers") {
            // Envoy writes alternatives as [A|B].
            let names = cipher.value.split { "[]|".contains($0) }.map(String.init)
            for name in names where !Self.ciphersKnown.contains(name) {
                throw PolicyFault(fields, "ciphers", "\(name) is no cipher that is known")
            }
            ciphers += names
        }
        curves = fields.texts("ecdhCurves").map(\.value)
        signatureAlgorithms = fields.texts("signatureAlgorithms").map(\.value)
    }
}
