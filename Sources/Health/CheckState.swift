import Routing

/// What is known of one check: its verdict, and how it came to it. The first check decides alone;
/// then it takes so many failures or successes in a row, but a failure that the endpoint itself
/// tells counts at once (as Envoy has it). Pure; owned by the directory.
struct CheckState {
    let unhealthyThreshold: UInt32
    let healthyThreshold: UInt32
    private(set) var verdict = HealthVerdict.pending
    private(set) var successesInRow: UInt32 = 0
    private(set) var failuresInRow: UInt32 = 0
    private(set) var successes: UInt64 = 0
    private(set) var failures: UInt64 = 0
    /// Checks that could not be made.
    private(set) var inconclusive: UInt64 = 0
    private(set) var failureLast: HealthFailure?

    init(_ plan: HealthCheckPlan.Active) {
        unhealthyThreshold = max(plan.unhealthyThreshold, 1)
        healthyThreshold = max(plan.healthyThreshold, 1)
    }

    /// - Returns: whether the verdict is another one now.
    mutating func on(_ outcome: CheckOutcome) -> Bool {
        switch outcome {
        case .passed:
            successes += 1
            failuresInRow = 0
            successesInRow = successesInRow == .max ? .max : successesInRow + 1
            switch verdict {
            case .healthy: return false
            case .unhealthy where successesInRow < healthyThreshold: return false
            case .unhealthy, .pending: verdict = .healthy
            }
            return true
        case .failed(let failure):
            failures += 1
            successesInRow = 0
            failuresInRow = failuresInRow == .max ? .max : failuresInRow + 1
            failureLast = failure
            switch verdict {
            case .unhealthy: return false
            case .healthy where failuresInRow < unhealthyThreshold && !failure.isDecisive:
                return false
            case .healthy, .pending: verdict = .unhealthy(failure)
            }
            return true
        case .inconclusive:
            inconclusive += 1
            return false
        }
    }
}
