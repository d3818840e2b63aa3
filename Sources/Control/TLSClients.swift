import Routing
import TLS

/// What speaks TLS with endpoints, kept through reloads: where the plan says the same as before,
/// the same client goes on, with the sessions that can be resumed. Control thread only.
struct TLSClients {
    /// Why there is none for a Backend's endpoints; they are left out.
    struct Failure: Hashable, CustomStringConvertible {
        /// `namespace/name`.
        let backend: String
        let fault: TLSConfigurationFault

        var description: String { "TLS to Backend \(backend) cannot be spoken: \(fault)" }
    }

    private(set) var known: [UpstreamTLSPlan: TLSClient] = [:]

    /// Makes what clusters need and has not been there before, and forgets what they do not need.
    mutating func follow(_ clusters: [ClusterPlan]) -> [Failure] {
        var failures: [Failure] = []
        var next: [UpstreamTLSPlan: TLSClient] = [:]
        for cluster in clusters {
            var seen: UpstreamTLSPlan?
            // Endpoints of a cluster mostly have one plan, and to compare costs less than to hash.
            for case let plan? in cluster.tiers.joined().map(\.tls) where plan != seen {
                seen = plan
                guard next[plan] == nil else { continue }
                if let former = known[plan] {
                    next[plan] = former
                    continue
                }
                do throws(TLSConfigurationFault) {
                    next[plan] = try TLSClient(plan)
                } catch {
                    let failure = Failure(backend: cluster.name, fault: error)
                    // Of one Backend each route makes a cluster.
                    if !failures.contains(failure) { failures.append(failure) }
                }
            }
        }
        known = next
        return failures
    }
}
