import Primitives
import Routing

/// The endpoints of a cluster at a moment: who takes turns, and who is next when one fails. Made
/// whole, published by one pointer, never changed; everything that costs time, tiers, health, zones
/// and weights, is worked out when it is made, so that a pick is one step.
final class EndpointSet: Sendable {
    /// What it is made of.
    struct Member {
        let endpoint: Endpoint
        /// Within its tier (RFC 2782 has such), at least 1; less than 2^42.
        let weight: UInt64
        let isUsable: Bool
    }

    private enum Order {
        case inTurn, twoChoices, random
        case hashed(Maglev)
    }

    /// Those that take turns, tier after tier.
    private let endpoints: [Endpoint]
    /// Those that are left out, tier after tier: tried when all others have failed a client, for
    /// whom there is nothing to lose.
    private let leftOut: [Endpoint]
    /// Where in `endpoints` the tier begins that each is in, and where it ends.
    private let tiers: [Range<Int>]
    /// Places in `endpoints`, for a round.
    private let turns: [UInt32]
    private let order: Order

    /// - Parameter zone: the one that this process is in.
    init(_ members: [[Member]], _ plan: ClusterPlan, shares: TierShares, zone: String? = nil) {
        var endpoints: [Endpoint] = []
        var leftOut: [Endpoint] = []
        var tiers: [Range<Int>] = []
        var weights: [UInt64] = []
        for (number, tier) in members.enumerated() {
            let isPanicking = shares.isPanicking[number]
            let chosen = tier.filter { isPanicking || $0.isUsable }
            tiers.append(endpoints.count..<endpoints.count + chosen.count)
            endpoints += chosen.map(\.endpoint)
            leftOut += tier.filter { !isPanicking && !$0.isUsable }.map(\.endpoint)
            weights += Self.weights(
                of: chosen, share: UInt64(shares.percent[number]), plan.loadBalancer.zones, zone)
        }
        self.endpoints = endpoints
        self.leftOut = leftOut
        self.tiers = tiers
        for (place, endpoint) in endpoints.enumerated() { endpoint.place = place }
        let weights32 = Self.scaled(weights)
        turns = TurnSchedule.turns(weights32)
        switch plan.loadBalancer.kind {
        case .roundRobin: order = .inTurn
        case .leastRequest: order = .twoChoices
        case .random: order = .random
        case .consistentHash:
            let entries = zip(endpoints, weights32).map { endpoint, weight in
                (key: ConsistentHash.key(of: endpoint.socketAddress), weight: weight)
            }
            order = .hashed(Maglev(entries, size: plan.loadBalancer.tableSize))
        }
    }

    /// What each has of all traffic: its part of its zone's part of the tier's share. Exact up to
    /// 32 bits of fraction.
    /// - Parameter share: in a hundred.
    private static func weights(
        of tier: [Member], share: UInt64, _ plan: ZonePlan?, _ local: String?
    ) -> [UInt64] {
        let zones = plan.map { _ in tier.map { $0.endpoint.plan.zone ?? "" } } ?? []
        let counts = zones.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        if let parts = ZoneShares(counts, plan, local: local)?.parts {
            var sums: [String: UInt64] = [:]
            for (zone, member) in zip(zones, tier) { sums[zone, default: 0] += member.weight }
            return zip(zones, tier).map { zone, member in
                part(member.weight, of: sums[zone] ?? 0, share * (parts[zone] ?? 0))
            }
        }
        if share == 100 { return tier.map(\.weight) }
        let sum = tier.reduce(0) { $0 + $1.weight }
        return tier.map { part($0.weight, of: sum, share * ZoneShares.whole) }
    }

    /// - Parameter whole: at most 2^20.
    private static func part(_ weight: UInt64, of sum: UInt64, _ whole: UInt64) -> UInt64 {
        guard sum > 0 else { return 0 }
        let product = weight.multipliedFullWidth(by: whole << 32)
        return sum.dividingFullWidth(product).quotient
    }

    private static func scaled(_ weights: [UInt64]) -> [UInt32] {
        guard let most = weights.max(), most > UInt64(UInt32.max) else {
            return weights.map(UInt32.init)
        }
        let shift = UInt64.bitWidth - UInt32.bitWidth - most.leadingZeroBitCount
        return weights.map { $0 == 0 ? 0 : UInt32(max(1, $0 >> UInt64(shift))) }
    }

    var count: Int { endpoints.count + leftOut.count }

    // MARK: - Picking

    /// Who takes the next client.
    /// - Parameter hash: of what the client is told apart by; nil = anybody will do.
    @inline(__always)
    func pick(_ turn: inout EndpointTurn, hash: UInt64?) -> Endpoint? {
        guard !turns.isEmpty else { return nil }
        switch order {
        case .inTurn: return endpoints[Int(turns[turn.next(of: turns.count)])]
        case .random: return endpoints[Int(turns[turn.draw(of: turns.count)])]
        case .twoChoices: return twoChoices(&turn)
        case .hashed(let table):
            guard let hash, let place = table.pick(hash) else {
                return endpoints[Int(turns[turn.next(of: turns.count)])]
            }
            return endpoints[place]
        }
    }

    private func twoChoices(_ turn: inout EndpointTurn) -> Endpoint {
        let first = turn.draw(of: turns.count)
        guard turns.count > 1 else { return endpoints[Int(turns[first])] }
        var second = turn.draw(of: turns.count - 1)
        if second >= first { second += 1 }
        let (one, other) = (endpoints[Int(turns[first])], endpoints[Int(turns[second])])
        return other.busy < one.busy ? other : one
    }

    /// The next in use after one that is full that is not, taken; tiers follow each other.
    func take(after full: Endpoint, most: Int) -> Endpoint? {
        let start = place(of: full)
        for distance in 1..<max(endpoints.count, 1) {
            let place = (start + distance) % endpoints.count
            if endpoints[place].take(most: most) { return endpoints[place] }
        }
        return nil
    }

    /// Who is tried after `failed`: the others of its tier in their order, then the tiers after it,
    /// then those before it, then those that are left out; nil = all were tried.
    /// - Parameters:
    ///   - family: only those of this address family, where it is given.
    ///   - most: that an endpoint may serve at a time.
    /// - Returns: one that is taken.
    func takeNext(
        after failed: Endpoint, tried: TriedEndpoints, family: Int32?, most: Int
    ) -> Endpoint? {
        func isTaken(_ endpoint: Endpoint) -> Bool {
            (family == nil || endpoint.family == family) && !tried.contains(endpoint)
                && endpoint.take(most: most)
        }
        func free(_ range: Range<Int>) -> Endpoint? {
            for place in range where isTaken(endpoints[place]) { return endpoints[place] }
            return nil
        }
        let place = place(of: failed)
        let own = tiers.firstIndex { $0.contains(place) } ?? 0
        if tiers.indices.contains(own), tiers[own].contains(place) {
            let next =
                free(place..<tiers[own].upperBound) ?? free(tiers[own].lowerBound..<place)
            if let next { return next }
        }
        for number in tiers.indices.dropFirst(own + 1) {
            if let next = free(tiers[number]) { return next }
        }
        for number in tiers.indices.prefix(own) {
            if let next = free(tiers[number]) { return next }
        }
        return leftOut.first(where: isTaken)
    }

    /// One that is not here may have been in the set before.
    private func place(of endpoint: Endpoint) -> Int {
        let place = endpoint.place
        if endpoints.indices.contains(place), endpoints[place] === endpoint { return place }
        return endpoints.firstIndex { $0 === endpoint } ?? 0
    }
}
