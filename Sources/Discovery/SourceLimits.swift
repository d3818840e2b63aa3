import Primitives
import Routing

/// How many connections or flows each source has, and how fast it makes new ones, of all workers
/// together (EndpointPolicy `spec.limits`). Shared by a cluster's workers.
final class SourceLimits: Sendable {
    private enum Bits {
        /// Of a word, for the count; the rest is the source's tag.
        static let count: UInt64 = 24
        /// For a time in microseconds, which wraps after 12 days.
        static let time: UInt64 = 40
    }

    /// Words: four times the sources of which all but one in some thousands find a place.
    private static let capacity = 262_144
    private static let second: UInt64 = 1_000_000
    /// How far ahead a source's time can be: a second's worth of intervals, each rounded up, is
    /// less than two seconds, and a worker's clock, which stands still in a turn of its loop, may
    /// be behind that of the worker who noted it.
    private static let aheadMax: UInt64 = 4_000_000

    let plan: SourceLimitPlan
    private let counts: SourceTable?
    private let rates: SourceTable?

    /// Nil where the plan has no limit.
    /// - Parameter former: those of the plan before, whose notes stay good where a source is the
    ///   same block of addresses.
    init?(
        _ plan: SourceLimitPlan, former: SourceLimits? = nil, capacity: Int = capacity,
        seed: UInt64
    ) {
        guard plan.connectionsMax != nil || plan.connectionsPerSecond != nil else { return nil }
        self.plan = plan
        let isKnown =
            former?.plan.prefixBitsIPv4 == plan.prefixBitsIPv4
            && former?.plan.prefixBitsIPv6 == plan.prefixBitsIPv6
        let known = isKnown ? former : nil
        counts = plan.connectionsMax.map { _ in
            known?.counts ?? SourceTable(capacity: capacity, seed: seed)
        }
        rates = plan.connectionsPerSecond.map { _ in
            known?.rates ?? SourceTable(capacity: capacity, seed: ~seed)
        }
    }

    /// How often a source could not be noted, and passed.
    var unnoted: UInt64 { (counts?.unnoted ?? 0) + (rates?.unnoted ?? 0) }

    enum Answer: Equatable {
        /// It counts as long as the key is not given back; nil = it does not count.
        case admitted(key: UInt64?)
        case tooMany
        case tooFast
    }

    /// - Parameter now: CLOCK_MONOTONIC, nanoseconds.
    func admit(_ address: IPAddress, now: UInt64) -> Answer {
        let network = network(of: address.unmapped)
        let answer = count(network)
        // Who is refused for another reason has not used up the rate.
        guard case .admitted(let key) = answer, let rates, !pass(rates, network, now: now / 1_000)
        else { return answer }
        if let key { give(key) }
        return .tooFast
    }

    private func count(_ network: IPAddress) -> Answer {
        guard let counts, let most = plan.connectionsMax else { return .admitted(key: nil) }
        let key = network.hash(seed: counts.seed)
        let outcome = counts.change(key, tagShift: Bits.count, isFree: { $0 == 0 }) { count in
            count < UInt64(most) ? .write(count + 1) : .refuse
        }
        switch outcome {
        case .written: return .admitted(key: key)
        case .refused: return .tooMany
        case .unnoted: return .admitted(key: nil)
        }
    }

    /// - Parameter key: of an admission.
    func give(_ key: UInt64) {
        let outcome = counts?.change(key, tagShift: Bits.count, isFree: { $0 == 0 }) { count in
            count > 0 ? .write(count - 1) : .refuse
        }
        assert(outcome == .written, "who is given back was admitted")
    }

    /// The generic cell rate algorithm (ITU-T I.371): the word is the time by which what came so
    /// far would have come at the allowed rate; it may be a second's worth ahead. One that is past
    /// tells nothing that an empty word does not.
    /// - Parameter now: microseconds.
    private func pass(_ rates: SourceTable, _ network: IPAddress, now: UInt64) -> Bool {
        let mask = (UInt64(1) << Bits.time) - 1
        let perSecond = min(UInt64(max(1, plan.connectionsPerSecond ?? 1)), Self.second)
        // Rounded up, so that no rate is exceeded.
        let interval = (Self.second + perSecond - 1) / perSecond
        func ahead(_ time: UInt64) -> UInt64 {
            let ahead = (time &- now) & mask
            return ahead <= Self.aheadMax ? ahead : 0
        }
        let outcome = rates.change(
            network.hash(seed: rates.seed), tagShift: Bits.time, isFree: { ahead($0) == 0 }
        ) { time in
            let next = ahead(time) + interval
            return next <= perSecond * interval ? .write((now &+ next) & mask) : .refuse
        }
        return outcome != .refused
    }

    /// The block of addresses that counts as one source.
    private func network(of address: IPAddress) -> IPAddress {
        let bits = address.isIPv4 ? UInt64(plan.prefixBitsIPv4) + 96 : UInt64(plan.prefixBitsIPv6)
        func mask(_ bits: UInt64) -> UInt64 { bits == 0 ? 0 : ~0 << (64 - min(64, bits)) }
        return IPAddress(
            v6High: address.high & mask(min(bits, 64)),
            low: address.low & mask(bits > 64 ? bits - 64 : 0))
    }
}
