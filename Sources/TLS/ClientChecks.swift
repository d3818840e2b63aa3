import COpenSSL
import Routing

/// How a listener looks at its clients' certificates (RFC 8446 §4.3.2). Control thread only.
struct ClientChecks {
    /// OpenSSL's flags.
    let mode: Int32
    /// Nil = none is asked for.
    let rules: PeerRules?
    let store: TrustStore?
    /// The same text for the same checks.
    let description: String
    private let authorities: [CertificateHandle]

    /// More names than these are not sent to clients: they need no list to find their certificate,
    /// and it is sent in each handshake.
    private static let namesMax = 64

    init(
        _ plan: TLSTerminationPlan, compile: (String) -> HTTPTable.Expression?
    ) throws(TLSConfigurationFault) {
        guard let validation = plan.clientValidation else {
            (mode, rules, store, description, authorities) = (SSL_VERIFY_NONE, nil, nil, "", [])
            return
        }
        let details = plan.clientRules ?? ClientCertificateRules()
        description = "\(validation) \(plan.clientAuthorities) \(details)"
        let isNeeded = validation == .requireAndVerify || validation == .requireAny
        mode = SSL_VERIFY_PEER | (isNeeded ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        switch validation {
        case .requireAny, .request:
            (rules, store, authorities) = (.anybody, nil, [])
        case .requireAndVerify, .verifyIfGiven:
            rules = try PeerRules(
                details, verifiesChain: !plan.clientAuthorities.isEmpty, compile: compile)
            let store = try TrustStore(authorities: plan.clientAuthorities)
            try store.add(
                revocationLists: details.revocationLists,
                ofLeafOnly: details.revocationOfLeafOnly)
            self.store = store
            var handles: [CertificateHandle] = []
            for text in plan.clientAuthorities {
                // That they can be read is known since the store has them.
                handles += (try? CertificateHandle.all(in: Array(text.utf8))) ?? []
            }
            authorities = handles
        }
    }

    fileprivate func apply(to pointer: OpaquePointer) {
        SSL_CTX_set_verify(pointer, mode, nil)
        if let store { SSL_CTX_set1_cert_store(pointer, store.pointer) }
        if authorities.count <= Self.namesMax {
            for authority in authorities { SSL_CTX_add_client_CA(pointer, authority.pointer) }
        }
    }
}

extension SessionSource {
    func check(_ clients: ClientChecks) throws(TLSConfigurationFault) {
        guard let rules = clients.rules else { return }
        clients.apply(to: pointer)
        verify(by: rules)
    }

    /// - Parameter rules: kept by the attachment of the same `SSL_CTX`.
    func verify(by rules: PeerRules) {
        SSL_CTX_set_cert_verify_callback(
            pointer,
            { store, argument in
                argument.map {
                    Unmanaged<PeerRules>.fromOpaque($0).takeUnretainedValue().verify(store)
                } ?? 0
            }, Unmanaged.passUnretained(rules).toOpaque())
    }
}
