import Routing

/// What a new plan changes: for the operator in numbers by name, and for the workers by place. A
/// value; made on the control thread.
struct PlanChange: Hashable {
    struct Tally: Hashable {
        var added = 0
        var removed = 0
        var changed = 0
    }

    private(set) var listeners = Tally()
    private(set) var clusters = Tally()

    /// What a listener is apart from where other things stand in its plan.
    private struct Listener: Hashable {
        let plan: ListenerPlan
        let backends: [Backend]

        struct Backend: Hashable {
            let cluster: Name?
            let weight: UInt32
        }

        init(_ plan: ListenerPlan, in whole: Plan) {
            backends = (plan.route?.backends ?? []).map { backend in
                Backend(
                    cluster: backend.cluster.map { Name(whole.clusters[$0]) },
                    weight: backend.weight)
            }
            var plan = plan
            if var route = plan.route {
                route.backends = []
                plan.route = route
            }
            self.plan = plan
        }
    }

    /// A Backend may serve several routes, and a route's rule name it several times.
    private struct Name: Hashable {
        let backend: String
        let route: String

        init(_ cluster: ClusterPlan) {
            backend = cluster.name
            route = cluster.route
        }
    }

    init(clustersChanged: Int) {
        clusters.changed = clustersChanged
    }

    init(from old: Plan, to new: Plan) {
        // Most changes leave most of it where it is; only the rest is looked at by name.
        let clusters = zip(old.clusters, new.clusters).map(==)
        self.clusters = Self.tally(
            Self.others(old.clusters, clusters).map { (Name($0), $0) },
            Self.others(new.clusters, clusters).map { (Name($0), $0) })
        let isNamed = zip(old.clusters, new.clusters).map { Name($0) == Name($1) }
        // Listeners refer to clusters by place: they lead to the same where the names are the same.
        let listeners = zip(old.listeners, new.listeners).map { left, right in
            left == right
                && (left.route?.backends ?? []).compactMap(\.cluster).allSatisfy {
                    $0 < isNamed.count && isNamed[$0]
                }
        }
        self.listeners = Self.tally(
            Self.others(old.listeners, listeners).map { ($0.name, Listener($0, in: old)) },
            Self.others(new.listeners, listeners).map { ($0.name, Listener($0, in: new)) })
    }

    /// Those that are not the same at the same place of both plans.
    private static func others<Part>(_ parts: [Part], _ isSame: [Bool]) -> [Part] {
        parts.indices.filter { $0 >= isSame.count || !isSame[$0] }.map { parts[$0] }
    }

    private static func tally<Key: Hashable, Value: Equatable>(
        _ old: [(Key, Value)], _ new: [(Key, Value)]
    ) -> Tally {
        let before = Dictionary(grouping: old, by: \.0).mapValues { $0.map(\.1) }
        let after = Dictionary(grouping: new, by: \.0).mapValues { $0.map(\.1) }
        var tally = Tally()
        for (key, values) in after {
            let others = before[key] ?? []
            tally.added += max(0, values.count - others.count)
            tally.changed += zip(values, others).count { $0 != $1 }
        }
        for (key, values) in before {
            tally.removed += max(0, values.count - (after[key]?.count ?? 0))
        }
        return tally
    }

    /// The clusters that differ, where nothing but their endpoints does; nil = something else does.
    static func endpointChanges(from old: Plan, to new: Plan) -> [Int]? {
        guard old.clusters.count == new.clusters.count, old.listeners == new.listeners else {
            return nil
        }
        var changed: [Int] = []
        for index in new.clusters.indices where old.clusters[index] != new.clusters[index] {
            var same = new.clusters[index]
            same.tiers = old.clusters[index].tiers
            guard same == old.clusters[index] else { return nil }
            changed.append(index)
        }
        return changed
    }

    /// For each cluster of `new` the place of its equal in `old`, each given once.
    static func formerClusters(of new: Plan, in old: Plan) -> [Int?] {
        var places = Array<Int?>(repeating: nil, count: new.clusters.count)
        var isUsed = Array(repeating: false, count: old.clusters.count)
        // Most changes leave most of them where they are.
        for index in new.clusters.indices.prefix(old.clusters.count)
        where new.clusters[index] == old.clusters[index] {
            places[index] = index
            isUsed[index] = true
        }
        var others: [ClusterPlan: [Int]] = [:]
        for index in old.clusters.indices where !isUsed[index] {
            others[old.clusters[index], default: []].append(index)
        }
        for index in new.clusters.indices where places[index] == nil {
            places[index] = others[new.clusters[index]]?.popLast()
        }
        return places
    }
}

extension PlanChange: CustomStringConvertible {
    /// `listeners added=1 removed=0 changed=2, clusters added=1 removed=1 changed=0`
    var description: String {
        "listeners \(listeners.text), clusters \(clusters.text)"
    }
}

extension PlanChange.Tally {
    fileprivate var text: String { "added=\(added) removed=\(removed) changed=\(changed)" }
}
