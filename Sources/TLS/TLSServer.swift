import COpenSSL
import Routing

/// How a listener answers TLS, by one `TLSTerminationPlan`: what its sessions are made of, for each
/// of its names. Made on the control thread, read by all workers, and not changed; a new plan makes
/// a new one. Sessions may outlive it.
public final class TLSServer: Sendable {
    /// One for each set of certificates that names lead to.
    private let sources: [SessionSource]
    private let names: NameTable

    /// Sessions of one set that can be resumed by identifier, each about 1 KB with a client's
    /// certificate; older ones go.
    private static let sessionsMax = 10_000
    /// How long a session can be resumed (RFC 8446 §4.6.1 allows seven days): the shorter, the less
    /// is told by a ticket key that is stolen.
    private static let sessionSeconds = 7_200

    /// - Parameters:
    ///   - tickets: of the process.
    ///   - alpnDefault: what is offered where the plan leaves it open: HTTP's own, or nothing.
    ///   - compile: of expressions in rules for client certificates; nil = it is none.
    public init(
        _ plan: TLSTerminationPlan, tickets: TicketKeys, alpnDefault: [String] = [],
        compile: (String) -> HTTPTable.Expression? = { _ in nil }
    ) throws(TLSConfigurationFault) {
        guard !plan.certificates.isEmpty else { throw .noCertificate }
        var identities: [Identity] = []
        for certificate in plan.certificates { identities.append(try Identity(certificate)) }
        let sets = CertificateSets(plan.certificates, identities)
        let protocols = try ProtocolList.make(plan.alpnProtocols ?? alpnDefault)
        let clients = try ClientChecks(plan, compile: compile)
        var sources: [SessionSource] = []
        for members in sets.members {
            var staples: [Staple] = []
            for member in members {
                guard let bytes = plan.certificates[member].ocspStaple else { continue }
                staples.append(try identities[member].staple(bytes))
            }
            let attachment = Attachment(
                rules: clients.rules, protocols: protocols,
                tickets: plan.resumesByTicket ? tickets : nil, staples: staples)
            let source = try SessionSource(isServer: true, plan.settings, attachment)
            for member in members { try source.use(identities[member]) }
            try source.serve(plan, attachment)
            try source.check(clients)
            source.hand(out: staples)
            let names = members.map { identities[$0].names(plan.certificates[$0]) }
            try source.bindSessions(to: "\(names) \(clients.description)")
            sources.append(source)
        }
        self.sources = sources
        names = sets.names
    }

    /// A connection that a client opened.
    /// - Parameter serverName: as the client asked (SNI), in any case; it chooses the certificate:
    ///   an exact name's, then that of a wildcard for one label, then the first.
    /// - Returns: nil = out of memory.
    public func accept(
        serverName: UnsafeRawBufferPointer?, on exchange: borrowing RecordExchange
    ) -> TLSSession? {
        let source = sources[serverName.map(names.find) ?? 0]
        guard let session = TLSSession(SSL_new(source.pointer), on: exchange) else { return nil }
        SSL_set_accept_state(session.pointer)
        return session
    }
}

extension Identity {
    /// The servers that it is for, in lower case.
    func names(_ plan: CertificatePlan) -> [String] {
        plan.names.isEmpty ? certificates[0].names : plan.names.map { $0.lowercased() }
    }

    /// Whether its time is over is seen when it is to be handed out.
    fileprivate func staple(_ bytes: [UInt8]) throws(TLSConfigurationFault) -> Staple {
        do throws(StapleFault) {
            return try Staple(bytes, about: certificates)
        } catch {
            throw .staple(name, error)
        }
    }
}

// MARK: - What a server's `SSL_CTX` is told

extension SessionSource {
    fileprivate func serve(
        _ plan: TLSTerminationPlan, _ attachment: Attachment
    ) throws(TLSConfigurationFault) {
        // Our order of ciphers, as Envoy has it, so that the cheapest of those that are safe is
        // taken; a client that puts ChaCha20 first has no AES in its processor, and gets that.
        SSL_CTX_set_options(
            pointer, apus_op_cipher_server_preference | apus_op_prioritize_chacha)
        // The name has been decided on before; only one that is acknowledged (RFC 6066 §3) stays
        // with a session of TLS 1.2, and is that of the connections that resume it.
        apus_ctx_set_name_callback(pointer) { _, _, _ in SSL_TLSEXT_ERR_OK }
        if attachment.protocols != nil {
            SSL_CTX_set_alpn_select_cb(
                pointer,
                { _, chosen, chosenCount, client, clientCount, argument in
                    Attachment.of(argument)?.protocols?
                        .choose(client, clientCount, chosen, chosenCount)
                        ?? SSL_TLSEXT_ERR_NOACK
                }, attachment.argument)
        }
        SSL_CTX_set_timeout(pointer, Self.sessionSeconds)
        let cache = plan.resumesByIdentifier ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF
        apus_ctx_set_cache(pointer, Int(cache), Self.sessionsMax)
        // One ticket a handshake: each costs a tenth of a resumed one, and a client that opens
        // several connections at once gets one by each.
        let resumes = plan.resumesByTicket || plan.resumesByIdentifier
        try require(SSL_CTX_set_num_tickets(pointer, resumes ? 1 : 0))
        if plan.resumesByTicket {
            try require(
                Int32(SSL_CTX_set_tlsext_ticket_key_evp_cb(pointer, TicketKeys.callback)))
        } else {
            // In TLS 1.3 tickets that are left are then identifiers.
            SSL_CTX_set_options(pointer, apus_op_no_ticket)
        }
    }

    private static let sessionsMax = 10_000
    private static let sessionSeconds = 7_200

    /// A session is resumed only where the same names and the same rules for clients are: ticket
    /// keys are those of the process, and who was let in at one listener is not by that at another.
    /// Certificates that are renewed keep their sessions.
    fileprivate func bindSessions(to text: String) throws(TLSConfigurationFault) {
        var hash = [UInt8](repeating: 0, count: 32)
        let bytes = Array(text.utf8)
        try require(EVP_Digest(bytes, bytes.count, &hash, nil, EVP_sha256(), nil))
        try require(SSL_CTX_set_session_id_context(pointer, hash, UInt32(hash.count)))
    }
}
