import Manifest
import Primitives
import Routing

// Endpoints change far more often than anything else. A Backend that differs from what it was in
// its endpoints alone moves no listener, no route and no condition: only the tiers that it is part
// of are worked out anew, by the same functions.

extension Translation {
    /// What a cluster's tiers were made of.
    struct ClusterSource {
        var target: ResolvedRoute.Target
        var standby: [ResolvedRoute.Target]
        let route: Route
        /// Its policy cannot be followed: nothing is sent.
        var isRefused = false
        /// An SRV record that comes before all (EndpointPolicy `spec.srv`).
        var service: String?
    }

    /// Puts Backends in the place of what they were before.
    /// - Returns: false when something else than endpoints would change; nothing is changed then.
    mutating func replaceEndpoints(_ changes: [(old: Backend, new: Backend)]) -> Bool {
        guard changes.allSatisfy({ isEndpointChange($0.old, $0.new) }) else { return false }
        var replacements: [ObjectIdentity: Backend] = [:]
        for (old, new) in changes {
            guard let place = objects.backends.firstIndex(where: { $0 === old }) else {
                return false
            }
            objects.backends[place] = new
            index.backends[new.metadata.identity] = new
            replacements[new.metadata.identity] = new
            noteGeneration(of: new.metadata, former: old.metadata)
        }
        for number in clusterSources.indices {
            var source = clusterSources[number]
            guard refersTo(source, replacements) else { continue }
            source.target = source.target.replaced(by: replacements)
            source.standby = source.standby.map { $0.replaced(by: replacements) }
            clusterSources[number] = source
            plan.clusters[number].tiers = tiers(of: source)
        }
        return true
    }

    private func isEndpointChange(_ old: Backend, _ new: Backend) -> Bool {
        /// A UDPRoute has something to say of these.
        func hasOthers(_ backend: Backend) -> Bool {
            backend.endpoints.contains { endpoint in
                if case .address(.unix) = endpoint.target { true } else { endpoint.usesTLS }
            }
        }
        return old.metadata.identity == new.metadata.identity
            && old.metadata.labels == new.metadata.labels
            && old.metadata.creationTimestamp == new.metadata.creationTimestamp
            && old.hasSameRest(as: new) && invalidBackends[old.metadata.identity] == nil
            && !hasOthers(old) && !hasOthers(new)
    }

    private mutating func noteGeneration(of metadata: Metadata, former: Metadata) {
        guard metadata.generation != former.generation else { return }
        let subject = Condition.Subject.object(metadata.identity)
        for place in conditions.indices where conditions[place].subject == subject {
            conditions[place].observedGeneration = metadata.generation
        }
    }

    private func refersTo(
        _ source: ClusterSource, _ replacements: [ObjectIdentity: Backend]
    ) -> Bool {
        ([source.target] + source.standby).contains { target in
            guard case .backend(let backend) = target else { return false }
            // Chains of fallbacks are followed where they are made.
            return backend.fallback != nil || replacements[backend.metadata.identity] != nil
        }
    }

    func tiers(of source: ClusterSource) -> [[EndpointPlan]] {
        guard !source.isRefused else { return [[]] }
        var tiers = tiers(of: source.target, source.route)
        // Envoy Gateway puts all fallbacks of a rule into one tier.
        let fallbacks = source.standby.flatMap { self.tiers(of: $0, source.route).first ?? [] }
        if !fallbacks.isEmpty { tiers.append(fallbacks) }
        if let service = source.service, case .backend(let backend) = source.target {
            tiers.insert(endpoints(service, before: backend), at: 0)
        }
        return tiers
    }
}

extension ResolvedRoute.Target {
    fileprivate func replaced(by replacements: [ObjectIdentity: Backend]) -> Self {
        guard case .backend(let backend) = self,
            let new = replacements[backend.metadata.identity]
        else { return self }
        return .backend(new)
    }
}

extension Backend {
    /// Whether two say the same but for their endpoints.
    fileprivate func hasSameRest(as other: Backend) -> Bool {
        isDynamicResolver == other.isDynamicResolver
            && application?.value == other.application?.value && fallback == other.fallback
            && tls == other.tls && dialect == other.dialect
    }
}
