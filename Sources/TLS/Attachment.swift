import COpenSSL

/// What the callbacks of one `SSL_CTX` need. Immutable; OpenSSL holds one reference, which it gives
/// back with the `SSL_CTX`, so that sessions may outlive the plan that they were made of.
final class Attachment: Sendable {
    let rules: PeerRules?
    let protocols: ProtocolList?
    let tickets: TicketKeys?
    let staples: [Staple]
    let sessions: SessionCache?

    init(
        rules: PeerRules? = nil, protocols: ProtocolList? = nil, tickets: TicketKeys? = nil,
        staples: [Staple] = [], sessions: SessionCache? = nil
    ) {
        self.rules = rules
        self.protocols = protocols
        self.tickets = tickets
        self.staples = staples
        self.sessions = sessions
    }

    /// Where it stands in an `SSL_CTX`.
    static let index: Int32 = {
        let index = apus_ctx_index { _, pointer, _, _, _, _ in
            guard let pointer else { return }
            Unmanaged<Attachment>.fromOpaque(pointer).release()
        }
        precondition(index >= 0, "no memory for an index")
        return index
    }()

    /// - Parameter ssl: an `SSL *`.
    static func of(_ ssl: OpaquePointer?) -> Attachment? {
        guard let ssl else { return nil }
        return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index)
            .map { Unmanaged<Attachment>.fromOpaque($0).takeUnretainedValue() }
    }

    /// - Parameter argument: what a callback was registered with.
    static func of(_ argument: UnsafeMutableRawPointer?) -> Attachment? {
        argument.map { Unmanaged<Attachment>.fromOpaque($0).takeUnretainedValue() }
    }

    /// For a callback's argument; valid as long as the `SSL_CTX`.
    var argument: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}
