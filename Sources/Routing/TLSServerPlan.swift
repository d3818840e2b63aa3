/// One name of a TLS or HTTPS listener: whose connections end here, or pass through unread.
public struct TLSServerPlan: Hashable, Sendable {
    public enum Mode: Hashable, Sendable {
        /// The bytes go on as they came; the name alone chooses the route.
        case passthrough([TLSRoutePlan])
        /// TLS ends here, and what is in it goes on as a stream.
        case terminate(TLSTerminationPlan, [TLSRoutePlan])
        /// TLS ends here, and what is in it are HTTP requests.
        case http(TLSTerminationPlan, HTTPServerPlan)
    }

    /// `namespace/gateway/listener`.
    public var name: String
    public var host: HostPattern
    public var mode: Mode

    public init(name: String, host: HostPattern, mode: Mode) {
        self.name = name
        self.host = host
        self.mode = mode
    }

    /// What a server that reads no requests chooses from.
    public var streamRoutes: [TLSRoutePlan] {
        switch mode {
        case .passthrough(let routes), .terminate(_, let routes): routes
        case .http: []
        }
    }

    /// Nil = its clients' bytes are not read.
    public var requests: HTTPServerPlan? {
        if case .http(_, let requests) = mode { requests } else { nil }
    }

    /// Nil = TLS does not end here.
    public var termination: TLSTerminationPlan? {
        switch mode {
        case .passthrough: nil
        case .terminate(let termination, _), .http(let termination, _): termination
        }
    }
}

/// A TLSRoute at a listener, or a TCPRoute at one that terminates TLS: names that go one way.
public struct TLSRoutePlan: Hashable, Sendable {
    /// The route's names as far as the listener has them too; the most specific first.
    public var hosts: [HostPattern]
    public var route: RoutePlan

    public init(hosts: [HostPattern], route: RoutePlan) {
        self.hosts = hosts
        self.route = route
    }
}

/// How a listener speaks TLS with its clients (Gateway `listeners[].tls`, ClientTrafficPolicy
/// `spec.tls`).
public struct TLSTerminationPlan: Hashable, Sendable {
    public enum ClientValidation: String, Hashable, Sendable {
        case requireAndVerify = "RequireAndVerify"
        case verifyIfGiven = "VerifyIfGiven"
        case requireAny = "RequireAny"
        case request = "Request"
    }

    public var certificates: [CertificatePlan] = []
    public var settings = TLSSettings()
    /// In the order of preference; empty = none is offered; nil = HTTP's own.
    public var alpnProtocols: [String]?
    /// PEM of the authorities that client certificates are checked against.
    public var clientAuthorities: [String] = []
    public var clientValidation: ClientValidation?
    /// What a client's certificate must have besides; looked at where it is verified.
    public var clientRules: ClientCertificateRules?
    /// `spec.tls.session.resumption`.
    public var resumesByTicket = false
    public var resumesByIdentifier = false

    public init() {}
}

/// What a client's certificate must have beside an authority that vouches for it
/// (ClientTrafficPolicy `spec.tls.clientValidation`).
public struct ClientCertificateRules: Hashable, Sendable {
    /// One that has expired is as good.
    public var allowsExpired = false
    /// It must have one of these names; empty = any.
    public var subjectAltNames: [SubjectAltNameMatch] = []
    /// SHA-256 of the public key (SubjectPublicKeyInfo, DER), base64; it must match one of these or
    /// of `certificateHashes`, where there are any. Without authorities that alone is enough.
    public var publicKeyHashes: [String] = []
    /// SHA-256 of the certificate (DER), hex, with colons or without.
    public var certificateHashes: [String] = []
    /// PEM.
    public var revocationLists: [String] = []
    /// Only the client's own certificate is looked for in the lists, not those of its issuers.
    public var revocationOfLeafOnly = false

    public init() {}
}

/// A subjectAltName (RFC 5280 §4.2.1.6) that a certificate may have.
public struct SubjectAltNameMatch: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case dns
        case email
        case ip
        case uri
        /// Of the type with this OID, as in `1.3.6.1.4.1.311.20.2.3`.
        case other(String)
    }

    public enum Text: Hashable, Sendable {
        /// Of a DNS name also by the certificate's wildcard.
        case exact(String)
        case prefix(String)
        case suffix(String)
        /// RE2's syntax; matches all of the name.
        case expression(String)
    }

    public var kind: Kind
    public var text: Text

    public init(kind: Kind, text: Text) {
        self.kind = kind
        self.text = text
    }
}

/// A certificate chain and its key, as PEM, from a Secret of type `kubernetes.io/tls`.
public struct CertificatePlan: Hashable, Sendable {
    /// `namespace/name` of the Secret.
    public var name: String
    public var chain: String
    public var key: String
    /// The servers that the first of the chain is for, as in `*.example.com`.
    public var names: [String]
    /// DER of an OCSP response (RFC 6960) about the first of the chain, for clients that ask.
    public var ocspStaple: [UInt8]?

    public init(
        name: String, chain: String, key: String, names: [String] = [],
        ocspStaple: [UInt8]? = nil
    ) {
        self.name = name
        self.chain = chain
        self.key = key
        self.names = names
        self.ocspStaple = ocspStaple
    }
}

/// What both ends of TLS can be told (`tls` of ClientTrafficPolicy and Backend).
public struct TLSSettings: Hashable, Sendable {
    public enum Version: String, Hashable, Sendable, Comparable {
        case v1_0 = "1.0"
        case v1_1 = "1.1"
        case v1_2 = "1.2"
        case v1_3 = "1.3"

        public static func < (left: Version, right: Version) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    public var versionMin = Version.v1_2
    public var versionMax = Version.v1_3
    /// OpenSSL's names; empty = its defaults.
    public var ciphers: [String] = []
    public var curves: [String] = []
    public var signatureAlgorithms: [String] = []

    public init() {}
}

/// TLS to an endpoint (Backend `spec.tls`, BackendTLSPolicy, `protocol: HTTPS`).
public struct UpstreamTLSPlan: Hashable, Sendable {
    public enum Trust: Hashable, Sendable {
        case system
        /// PEM.
        case authorities([String])
        /// `insecureSkipVerify`: anybody may answer.
        case nobody
    }

    public var trust: Trust
    /// The name that is asked for (SNI); nil = the endpoint's host name, if it has one.
    public var serverName: String?
    /// Names of which the certificate must have one; empty = the server name.
    public var subjectAltNames: [String]
    public var clientCertificate: CertificatePlan?
    public var alpnProtocols: [String]
    public var settings: TLSSettings

    public init(
        trust: Trust, serverName: String? = nil, subjectAltNames: [String] = [],
        clientCertificate: CertificatePlan? = nil, alpnProtocols: [String] = [],
        settings: TLSSettings = TLSSettings()
    ) {
        self.trust = trust
        self.serverName = serverName
        self.subjectAltNames = subjectAltNames
        self.clientCertificate = clientCertificate
        self.alpnProtocols = alpnProtocols
        self.settings = settings
    }
}
