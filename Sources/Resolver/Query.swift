import Primitives
import Wire

/// One question on its way: tries the names that a search list makes of it, and for each name the
/// servers in their order, as often as is allowed. Pure; the thread sends what it says. Owned by
/// the directory.
struct Query {
    /// One message to one server.
    struct Attempt: Hashable {
        let name: DNSName
        /// Place in the server group.
        let server: Int
    }

    enum Step: Hashable {
        case ask(Attempt)
        case finished(Answer)
    }

    private let names: [DNSName]
    private let order: [Int]
    private let roundsMax: Int
    private var nameIndex = 0
    private var attemptIndex = 0
    private var hasStarted = false
    /// What the names before this one came to, where none gave an answer.
    private var lastFailure: LookupFailure?
    private var lastAbsence: Answer?

    /// - Parameter names: what to try one after the other; the first that exists is taken.
    init(names: [DNSName], order: [Int], roundsMax: Int) {
        precondition(!names.isEmpty && !order.isEmpty && roundsMax > 0)
        self.names = names
        self.order = order
        self.roundsMax = roundsMax
    }

    var attempt: Attempt {
        Attempt(name: names[nameIndex], server: order[attemptIndex % order.count])
    }

    mutating func start() -> Step {
        precondition(!hasStarted)
        hasStarted = true
        return .ask(attempt)
    }

    /// - Parameter answer: what the last attempt came to.
    mutating func on(_ answer: Answer) -> Step {
        precondition(hasStarted)
        switch answer {
        case .found:
            return .finished(answer)
        case .absent(isNameMissing: false, _):
            // The name is there, without such a record: the other family, which is asked for on
            // its own, must not end up with another name of the search list.
            return .finished(answer)
        case .absent(isNameMissing: true, _):
            lastAbsence = answer
            return nextName()
        case .failed(let failure):
            guard attemptIndex + 1 < order.count * roundsMax else {
                lastFailure = failure
                // Silence about one name of the list is silence about all; another answer may be
                // about this name alone.
                return failure == .timedOut || failure == .unreachable
                    ? .finished(answer) : nextName()
            }
            attemptIndex += 1
            return .ask(attempt)
        }
    }

    /// A failure on the way weighs more than names that do not exist: the one that failed might.
    private mutating func nextName() -> Step {
        guard nameIndex + 1 < names.count else {
            if let lastFailure { return .finished(.failed(lastFailure)) }
            guard let lastAbsence else { preconditionFailure("each name came to something") }
            return .finished(lastAbsence)
        }
        nameIndex += 1
        attemptIndex = 0
        return .ask(attempt)
    }
}
