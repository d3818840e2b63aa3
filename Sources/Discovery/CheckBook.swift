import Health

/// Which clusters have which checks, and the last verdict on each. Pure; owned by the directory.
struct CheckBook {
    /// Of each cluster, by its place.
    private var checks: [Set<HealthCheck>] = []
    /// The places of the clusters that have the check.
    private var users: [HealthCheck: Set<Int>] = [:]
    /// Of checks that somebody has.
    private(set) var verdicts: [HealthCheck: HealthVerdict] = [:]
    private var isChanged = false

    /// The checks of all clusters, in their order.
    mutating func replaceAll(_ checks: [Set<HealthCheck>]) {
        var users: [HealthCheck: Set<Int>] = [:]
        for (place, checks) in checks.enumerated() {
            for check in checks { users[check, default: []].insert(place) }
        }
        let isSame = users.count == self.users.count && users.keys.allSatisfy { has($0) }
        self.checks = checks
        self.users = users
        guard !isSame else { return }
        verdicts = verdicts.filter { users[$0.key] != nil }
        isChanged = true
    }

    /// The checks of one cluster.
    mutating func replace(_ place: Int, by checks: Set<HealthCheck>) {
        for check in self.checks[place].subtracting(checks) {
            users[check]?.remove(place)
            guard users[check]?.isEmpty == true else { continue }
            users[check] = nil
            verdicts[check] = nil
            isChanged = true
        }
        for check in checks.subtracting(self.checks[place]) {
            isChanged = isChanged || !has(check)
            users[check, default: []].insert(place)
        }
        self.checks[place] = checks
    }

    private func has(_ check: HealthCheck) -> Bool { users[check] != nil }

    func users(of check: HealthCheck) -> Set<Int> { users[check] ?? [] }

    /// - Returns: what is to be checked from now on, once; nil = the same as before.
    mutating func takeWanted() -> Set<HealthCheck>? {
        guard isChanged else { return nil }
        isChanged = false
        return Set(users.keys)
    }

    /// - Returns: the places of the clusters that it matters to.
    mutating func note(_ verdicts: [HealthCheck: HealthVerdict]) -> Set<Int> {
        var places: Set<Int> = []
        for (check, verdict) in verdicts {
            guard let users = users[check] else { continue }
            self.verdicts[check] = verdict
            places.formUnion(users)
        }
        return places
    }

    /// Those that were not made yet; less those that are to wait by their own policy.
    var awaitedCount: Int {
        guard verdicts.count < users.count else { return 0 }
        return users.keys.count { verdicts[$0] == nil && $0.plan.initialJitter == 0 }
    }
}
