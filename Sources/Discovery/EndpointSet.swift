import Primitives
import Routing

/// The endpoints of a cluster at a moment: who takes turns, and who is next when one fails. Made
/// whole, published by one pointer, never changed; everything that costs time, tiers, health and
/// weights, is worked out when it is made, so that a pick is one step.
final class EndpointSet: Sendable {
    /// What it is made of.
    struct Member {
        let endpoint: Endpoint
        /// Within its tier (RFC 2782 has such); at least 1.
        let weight: UInt32
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
    let shares: TierShares

    init(_ members: [[Member]], _ plan: ClusterPlan) {
        shares = TierShares(
            members.map { tier in
                .init(usable: tier.count { $0.isUsable }, total: tier.count)
            },
            failoverBelowPercent: plan.tierChange.failoverBelowPercent,
            panicPercent: plan.healthCheck.panicPercent)
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
            weights += Self.weights(of: chosen, share: shares.percent[number])
        }
        self.endpoints = endpoints
        self.leftOut = leftOut
        self.tiers = tiers
        let weights32 = Self.scaled(weights)
        turns = TurnSchedule.turns(weights32)
        switch plan.loadBalancer.kind {
        case .roundRobin: order = .inTurn
        case .leastRequest: order = .twoChoices
        case .random: order = .random
        case .consistentHash:
            let entries = zip(endpoints, weights32).map { endpoint, weight in
                (key: ConsistentHash.key(of: endpoint.plan), weight: weight)
            }
            order = .hashed(Maglev(entries, size: plan.loadBalancer.tableSize))
        }
    }

    /// What each has of all traffic: its part of the tier's share. Exact up to 32 bits of fraction.
    private static func weights(of tier: [Member], share: UInt32) -> [UInt64] {
        let sum = tier.reduce(0) { $0 + UInt64($1.weight) }
        guard sum > 0 else { return [] }
        if share == 100 { return tier.map { UInt64($0.weight) } }
        return tier.map { UInt64($0.weight) * UInt64(share) * (1 << 32) / sum }
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
        return other.live < one.live ? other : one
    }

    /// Who is tried after `failed`: the others of its tier in their order, then the tiers after it,
    /// then those before it, then those that are left out; nil = all were tried.
    /// - Parameter family: only those of this address family, where it is given.
    func next(
        after failed: Endpoint, tried: TriedEndpoints, family: Int32? = nil
    ) -> Endpoint? {
        func isFree(_ endpoint: Endpoint) -> Bool {
            !tried.contains(endpoint) && (family == nil || endpoint.family == family)
        }
        let place = endpoints.firstIndex { $0 === failed } ?? 0
        let own = tiers.firstIndex { $0.contains(place) } ?? 0
        if tiers.indices.contains(own) {
            let (before, after) = (
                tiers[own].lowerBound..<place, place..<tiers[own].upperBound
            )
            if let next = (endpoints[after] + endpoints[before]).first(where: isFree) {
                return next
            }
        }
        for tier in Array(tiers.dropFirst(own + 1)) + Array(tiers.prefix(own)) {
            if let next = endpoints[tier].first(where: isFree) { return next }
        }
        return leftOut.first(where: isFree)
    }
}
