/// Operators between two values that are both known.
extension ExpressionEvaluation {
    mutating func result(
        _ operation: ExpressionProgram.Operator, _ left: Value, _ right: Value
    ) throws(Failure) -> Value {
        switch operation {
        case .equal: .boolean(try areEqual(left, right))
        case .notEqual: .boolean(!(try areEqual(left, right)))
        case .less: .boolean(try order(left, right).map { $0 < 0 } ?? false)
        case .lessOrEqual: .boolean(try order(left, right).map { $0 <= 0 } ?? false)
        case .greater: .boolean(try order(left, right).map { $0 > 0 } ?? false)
        case .greaterOrEqual: .boolean(try order(left, right).map { $0 >= 0 } ?? false)
        case .isIn: .boolean(try isIn(left, right))
        case .plus: try sum(left, right)
        case .minus, .times, .divide, .remainder: try arithmetic(operation, left, right)
        }
    }

    private mutating func order(_ left: Value, _ right: Value) throws(Failure) -> Int? {
        if case .text(let text) = left { try charge(bytes: text.utf8.count) }
        return try Value.order(left, right)
    }

    /// Values of different types are not equal, except numbers. Lists of a schema's type `set` or
    /// `map`, whose order does not matter to Kubernetes, are compared in order here.
    mutating func areEqual(_ left: Value, _ right: Value) throws(Failure) -> Bool {
        switch (left, right) {
        case (.text(let left), .text(let right)):
            try charge(bytes: left.utf8.count)
            return Value.areSame(left, right)
        case (.null, .null): return true
        case (.boolean(let left), .boolean(let right)): return left == right
        case (.integer, .integer), (.integer, .real), (.real, .integer), (.real, .real),
            (.duration, .duration):
            return try Value.order(left, right) == 0
        case (.nodes, .nodes), (.nodes, .list), (.list, .nodes), (.list, .list):
            return try areListsEqual(left, right)
        case (.entries(let left), .entries(let right)):
            return try areEqual(pairs(left), pairs(right))
        case (.entries(let left), .map(let right)): return try areEqual(pairs(left), right)
        case (.map(let left), .entries(let right)): return try areEqual(left, pairs(right))
        case (.map(let left), .map(let right)): return try areEqual(left, right)
        default: return false
        }
    }

    private mutating func areListsEqual(_ left: Value, _ right: Value) throws(Failure) -> Bool {
        let count = Self.count(left)
        guard count == Self.count(right) else { return false }
        try charge(count)
        for index in 0..<count {
            guard try areEqual(Self.item(left, index), Self.item(right, index)) else {
                return false
            }
        }
        return true
    }

    private static func count(_ list: Value) -> Int {
        switch list {
        case .nodes(let nodes): nodes.count
        case .list(let values): values.count
        default: 0
        }
    }

    private static func item(_ list: Value, _ index: Int) -> Value {
        switch list {
        case .nodes(let nodes): Value(nodes[index].value)
        case .list(let values): values[index]
        default: .null
        }
    }

    private mutating func pairs(_ entries: [Node.Entry]) throws(Failure) -> [Value.Pair] {
        try charge(entries.count)
        return entries.compactMap { entry in
            entry.value.isNull
                ? nil : Value.Pair(key: .text(entry.key), value: Value(entry.value.value))
        }
    }

    private mutating func areEqual(
        _ left: [Value.Pair], _ right: [Value.Pair]
    ) throws(Failure) -> Bool {
        guard left.count == right.count else { return false }
        for pair in left {
            var isFound = false
            for other in right {
                try charge(1)
                guard try areEqual(pair.key, other.key) else { continue }
                guard try areEqual(pair.value, other.value) else { return false }
                isFound = true
                break
            }
            guard isFound else { return false }
        }
        return true
    }

    private mutating func isIn(_ item: Value, _ range: Value) throws(Failure) -> Bool {
        switch range {
        case .nodes(let nodes):
            for index in nodes.indices {
                try charge(1)
                if try areEqual(item, Value(nodes[index].value)) { return true }
            }
        case .list(let values):
            for value in values {
                try charge(1)
                if try areEqual(item, value) { return true }
            }
        case .entries(let entries):
            guard case .text(let key) = item else { return false }
            try charge(entries.count)
            return entries.contains { !$0.value.isNull && Value.areSame($0.key, key) }
        case .map(let pairs):
            for pair in pairs {
                try charge(1)
                if try areEqual(pair.key, item) { return true }
            }
        default: throw .noSuchOverload
        }
        return false
    }

    // MARK: Arithmetic

    func negation(of value: Value) throws(Failure) -> Value {
        switch value {
        case .integer(let number):
            guard number != .min else { throw .overflow }
            return .integer(-number)
        case .real(let number): return .real(-number)
        case .duration(let number):
            guard number != .min else { throw .overflow }
            return .duration(-number)
        default: throw .noSuchOverload
        }
    }

    private mutating func sum(_ left: Value, _ right: Value) throws(Failure) -> Value {
        switch (left, right) {
        case (.text(let left), .text(let right)):
            try charge(bytes: left.utf8.count + right.utf8.count)
            return .text(left + right)
        case (.nodes, .nodes), (.nodes, .list), (.list, .nodes), (.list, .list):
            let (first, second) = (Self.count(left), Self.count(right))
            try charge(first + second)
            var values = (0..<first).map { Self.item(left, $0) }
            values += (0..<second).map { Self.item(right, $0) }
            return .list(values)
        default: return try arithmetic(.plus, left, right)
        }
    }

    /// Integers and durations end in an error rather than wrap; CEL mixes no types here.
    private func arithmetic(
        _ operation: ExpressionProgram.Operator, _ left: Value, _ right: Value
    ) throws(Failure) -> Value {
        switch (left, right) {
        case (.integer(let left), .integer(let right)):
            return .integer(try exact(operation, left, right))
        case (.duration(let left), .duration(let right)) where operation == .plus:
            return .duration(try exact(operation, left, right))
        case (.duration(let left), .duration(let right)) where operation == .minus:
            return .duration(try exact(operation, left, right))
        case (.real(let left), .real(let right)):
            switch operation {
            case .plus: return .real(left + right)
            case .minus: return .real(left - right)
            case .times: return .real(left * right)
            case .divide: return .real(left / right)
            default: throw .noSuchOverload
            }
        default: throw .noSuchOverload
        }
    }

    private func exact(
        _ operation: ExpressionProgram.Operator, _ left: Int64, _ right: Int64
    ) throws(Failure) -> Int64 {
        let (result, isOverflow): (Int64, Bool)
        switch operation {
        case .plus: (result, isOverflow) = left.addingReportingOverflow(right)
        case .minus: (result, isOverflow) = left.subtractingReportingOverflow(right)
        case .times: (result, isOverflow) = left.multipliedReportingOverflow(by: right)
        case .divide, .remainder:
            guard right != 0 else { throw .divisionByZero }
            (result, isOverflow) =
                operation == .divide
                ? left.dividedReportingOverflow(by: right)
                : left.remainderReportingOverflow(dividingBy: right)
        default: throw .noSuchOverload
        }
        guard !isOverflow else { throw .overflow }
        return result
    }
}
