import Routing

/// When a request that has failed is sent again, made ready of a `RetryPlan`. Triggers mean what
/// they mean in Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on`.
struct RetryRule: Sendable {
    /// What became of an attempt.
    enum Cause: BitwiseCopyable, Hashable {
        /// No endpoint could be connected to.
        case unreachable
        /// The endpoint has told that it did not look at the request (RFC 9113 section 8.7).
        case refused
        /// The connection or the stream ended before an answer began.
        case lost
        case timedOut
        case status(UInt16)
        /// Of gRPC, in a head.
        case code(UInt8)
    }

    private struct Triggers: OptionSet, Sendable {
        let rawValue: UInt16

        static let serverErrors = Triggers(rawValue: 1 << 0)
        static let gatewayErrors = Triggers(rawValue: 1 << 1)
        static let resets = Triggers(rawValue: 1 << 2)
        static let resetsBeforeRequest = Triggers(rawValue: 1 << 3)
        static let connectFailures = Triggers(rawValue: 1 << 4)
        static let refusals = Triggers(rawValue: 1 << 5)
        static let clientErrors = Triggers(rawValue: 1 << 6)
        static let statuses = Triggers(rawValue: 1 << 7)
        static let cancelled = Triggers(rawValue: 1 << 8)
        static let deadlineExceeded = Triggers(rawValue: 1 << 9)
        static let resourceExhausted = Triggers(rawValue: 1 << 10)
        static let internalErrors = Triggers(rawValue: 1 << 11)
        static let unavailable = Triggers(rawValue: 1 << 12)

        private static let named: [(name: String, trigger: Triggers)] = [
            ("5xx", .serverErrors), ("gateway-error", .gatewayErrors), ("reset", .resets),
            ("reset-before-request", .resetsBeforeRequest), ("connect-failure", .connectFailures),
            ("refused-stream", .refusals), ("retriable-4xx", .clientErrors),
            ("retriable-status-codes", .statuses), ("cancelled", .cancelled),
            ("deadline-exceeded", .deadlineExceeded), ("resource-exhausted", .resourceExhausted),
            ("internal", .internalErrors), ("unavailable", .unavailable),
        ]

        /// Envoy Gateway's, where a policy names none.
        static let standard: Triggers = [
            .connectFailures, .refusals, .unavailable, .cancelled, .statuses,
        ]

        init(rawValue: UInt16) { self.rawValue = rawValue }

        init(_ names: [String]) {
            self = Triggers(Self.named.filter { names.contains($0.name) }.map(\.trigger))
        }

        /// Of a code of gRPC.
        init(code: UInt8) {
            switch code {
            case 1: self = .cancelled
            case 4: self = .deadlineExceeded
            case 8: self = .resourceExhausted
            case 13: self = .internalErrors
            case 14: self = .unavailable
            default: self = []
            }
        }
    }

    /// After the first attempt.
    let countMax: UInt32
    /// Of one attempt; 0 = there is no limit.
    let attemptTicks: UInt64
    private let triggers: Triggers
    private let statuses: [UInt16]
    private let baseMilliseconds: UInt64
    private let mostMilliseconds: UInt64

    init(_ plan: RetryPlan) {
        countMax = plan.attemptsMax
        attemptTicks = Tick.count(milliseconds: plan.attemptTimeout ?? 0)
        let named = Triggers(plan.triggers)
        triggers =
            plan.triggers.isEmpty
            ? .standard : plan.statuses.isEmpty ? named : named.union(.statuses)
        statuses = plan.triggers.isEmpty && plan.statuses.isEmpty ? [503] : plan.statuses
        baseMilliseconds = UInt64(max(1, plan.backOff))
        // Envoy's: ten times the base.
        mostMilliseconds = plan.backOffMax.map(UInt64.init) ?? 10 * baseMilliseconds
    }

    func covers(_ cause: Cause) -> Bool {
        let answersNothing: Triggers = [.serverErrors, .gatewayErrors, .resets]
        switch cause {
        case .unreachable: return !triggers.isDisjoint(with: answersNothing.union(.connectFailures))
        case .refused: return !triggers.isDisjoint(with: answersNothing.union(.refusals))
        case .lost, .timedOut: return !triggers.isDisjoint(with: answersNothing)
        case .status(let status):
            if triggers.contains(.statuses), statuses.contains(status) { return true }
            if triggers.contains(.serverErrors), 500...599 ~= status { return true }
            if triggers.contains(.gatewayErrors), 502...504 ~= status { return true }
            return triggers.contains(.clientErrors) && status == 409
        case .code(let code): return !triggers.isDisjoint(with: Triggers(code: code))
        }
    }

    /// How long to wait before an attempt: at random up to a bound that doubles each time, so that
    /// those who failed together do not come back together.
    /// - Parameter count: of the repetitions, from 1.
    func backOffTicks(_ count: UInt32, random: UInt64) -> UInt64 {
        let bound = min(baseMilliseconds << UInt64(min(count, 16)), max(1, mostMilliseconds))
        return Tick.count(milliseconds: UInt32(clamping: random % (bound + 1)))
    }
}
