import COpenSSL
import Primitives
import Routing

/// How TLS is spoken to an endpoint, by one `UpstreamTLSPlan`. Made on the control thread, read by
/// all workers, and not changed but for the sessions that it keeps to resume them. Sessions may
/// outlive it.
public final class TLSClient: Sendable {
    private let source: SessionSource
    private let sessions: SessionCache
    /// The name that is asked for whatever the endpoint's is.
    private let serverName: String?
    private let verifiesName: Bool

    public init(_ plan: UpstreamTLSPlan) throws(TLSConfigurationFault) {
        let rules =
            plan.trust == .nobody ? .anybody : PeerRules(serverNames: plan.subjectAltNames)
        sessions = SessionCache()
        serverName = plan.serverName
        verifiesName = rules.needsName
        let protocols = try ProtocolList.make(plan.alpnProtocols)
        let attachment = Attachment(rules: rules, protocols: protocols, sessions: sessions)
        source = try SessionSource(isServer: false, plan.settings, attachment)
        switch plan.trust {
        case .system: SSL_CTX_set1_cert_store(source.pointer, TrustStore.system.pointer)
        case .authorities(let texts):
            let store = try TrustStore(authorities: texts)
            SSL_CTX_set1_cert_store(source.pointer, store.pointer)
        case .nobody: break
        }
        SSL_CTX_set_verify(source.pointer, SSL_VERIFY_PEER, nil)
        source.verify(by: rules)
        X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(source.pointer), NameRule.hostFlags)
        if let certificate = plan.clientCertificate {
            try source.use(try Identity(certificate))
        }
        if let wire = protocols?.wire {
            // Unlike the others, 0 is success.
            try source.require(
                SSL_CTX_set_alpn_protos(source.pointer, wire.baseAddress, UInt32(wire.count)) + 1)
        }
        // OpenSSL's own cache of a client is never looked into.
        apus_ctx_set_cache(
            source.pointer, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL), 1)
        SSL_CTX_sess_set_new_cb(source.pointer, SessionCache.callback)
    }

    /// A connection to an endpoint.
    /// - Parameter endpointName: its host name, or else its address: what is asked for (SNI, only a
    ///   name: RFC 6066 §3) and what the certificate has to be for, where the plan names nothing.
    ///   Without any name the handshake fails, unless the plan trusts anybody.
    /// - Returns: nil = out of memory.
    public func connect(
        endpointName: String?, on exchange: borrowing RecordExchange
    ) -> TLSSession? {
        guard let session = TLSSession(SSL_new(source.pointer), on: exchange) else { return nil }
        SSL_set_connect_state(session.pointer)
        guard name(session.pointer, endpointName) else {
            ERR_clear_error()
            session.free()
            return nil
        }
        return session
    }

    private func name(_ ssl: OpaquePointer, _ endpointName: String?) -> Bool {
        if let name = serverName ?? endpointName {
            if let address = IPAddress(name) {
                let isSet = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address.description)
                if verifiesName, isSet != 1 { return false }
            } else {
                // The root's dot is not part of what is asked for (RFC 6066 §3).
                let host = name.hasSuffix(".") ? String(name.dropLast()) : name
                guard apus_ssl_set_name(ssl, host) == 1 else { return false }
                if verifiesName, SSL_set1_host(ssl, host) != 1 { return false }
            }
        }
        let endpoint = SessionCache.Endpoint(endpointName ?? "")
        let kept = Unmanaged.passRetained(endpoint)
        guard SSL_set_ex_data(ssl, SessionCache.index, kept.toOpaque()) == 1 else {
            kept.release()
            return false
        }
        if let old = sessions.session(of: endpoint) {
            SSL_set_session(ssl, old)
            SSL_SESSION_free(old)
        }
        return true
    }
}
