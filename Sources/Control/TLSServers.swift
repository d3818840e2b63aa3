import CLinux
import GatewayAPI
import Routing
import TLS

/// What ends the TLS of listeners, kept through reloads: where the plan says the same as before,
/// the same server goes on, with the sessions that can be resumed. Control thread only.
struct TLSServers {
    /// Why a server has nothing to answer with; its clients are refused.
    struct Failure: CustomStringConvertible {
        /// `namespace/gateway/listener`.
        let listener: String
        let fault: TLSConfigurationFault

        var description: String { "TLS of listener \(listener) cannot be served: \(fault)" }
    }

    private let tickets = TicketKeys(nowSeconds: Self.now)
    private var known: [TLSTerminationPlan: TLSServer] = [:]

    private static var now: Int { Int(apus_monotonic() / 1_000_000_000) }

    /// To be called every minute or so.
    func rotateTickets() { tickets.rotate(nowSeconds: Self.now) }

    /// Makes what a plan needs and has not been there before, and forgets what it does not need.
    mutating func follow(_ plan: Plan) -> [Failure] {
        var failures: [Failure] = []
        var next: [TLSTerminationPlan: TLSServer] = [:]
        for case .tls(let servers) in plan.listeners.map(\.routes) {
            for server in servers {
                guard let termination = Self.termination(of: server), next[termination] == nil
                else { continue }
                if let former = known[termination] {
                    next[termination] = former
                    continue
                }
                do throws(TLSConfigurationFault) {
                    next[termination] = try TLSServer(
                        termination, tickets: tickets, compile: HTTPExpression.compile)
                } catch {
                    failures.append(Failure(listener: server.name, fault: error))
                }
            }
        }
        known = next
        return failures
    }

    /// Of a listener of the plan that was followed last: one for each of its servers.
    func servers(of listener: ListenerPlan) -> [TLSServer?] {
        guard case .tls(let servers) = listener.routes else { return [] }
        return servers.map { server in Self.termination(of: server).flatMap { known[$0] } }
    }

    /// Nil = TLS does not end at the server. Where it carries requests HTTP/2 is preferred.
    private static func termination(of server: TLSServerPlan) -> TLSTerminationPlan? {
        guard var termination = server.termination else { return nil }
        if server.requests != nil {
            termination.alpnProtocols = termination.alpnProtocols ?? ["h2", "http/1.1"]
        }
        return termination
    }
}
