/// One evaluation of a program over an object. A local of `Expression.isTrue`; it allocates only
/// for variables of macros, and for the lists and strings that the expression makes.
struct ExpressionEvaluation {
    typealias Index = ExpressionProgram.Index
    typealias Value = ExpressionValue
    typealias Failure = ExpressionFailure

    let program: ExpressionProgram
    private let this: Value
    private let old: Value
    private var variables: [Value]
    private var cost = 0

    init(_ program: ExpressionProgram, self node: Node, oldSelf oldNode: Node?) {
        self.program = program
        this = Value(node)
        old = oldNode.map { Value($0) } ?? .null
        variables =
            program.variables == 0 ? [] : Array(repeating: .null, count: program.variables)
    }

    /// Counts what a term does beyond being one.
    mutating func charge(_ count: Int) throws(Failure) {
        cost += count
        guard cost <= Expression.costMax else { throw .costsTooMuch }
    }

    /// Passing over so many bytes costs as much as one term.
    mutating func charge(bytes: Int) throws(Failure) { try charge(bytes >> 4) }

    mutating func value(of index: Index) throws(Failure) -> Value {
        try charge(1)
        switch program.terms[Int(index)] {
        case .constant(let constant): return program.constants[Int(constant)]
        case .variable(let slot): return variable(slot)
        case .select(let operand, let name):
            guard let found = try field(name, of: operand) else { throw .noSuchKey(name) }
            return found
        case .has(let operand, let name): return .boolean(try field(name, of: operand) != nil)
        case .element(let list, let place):
            let operand = try value(of: list)
            return try element(of: operand, at: try value(of: place))
        case .not(let operand): return .boolean(!(try boolean(of: operand)))
        case .negation(let operand): return try negation(of: value(of: operand))
        case .and(let left, let right): return .boolean(try logic(left, right, decisive: false))
        case .or(let left, let right): return .boolean(try logic(left, right, decisive: true))
        case .condition(let condition, let yes, let no):
            return try value(of: try boolean(of: condition) ? yes : no)
        case .operation(let operation, let left, let right):
            let left = try value(of: left)
            return try result(operation, left, try value(of: right))
        case .call(let function, let first, let count):
            return try call(function, Int(first), Int(count))
        case .match(let operand, let pattern):
            return try match(value(of: operand), program.patterns[Int(pattern)])
        case .list(let first, let count): return try list(Int(first), Int(count))
        case .map(let first, let count): return try map(Int(first), Int(count))
        case .fold(let fold, let range, let body, let transform, let slot):
            let range = try value(of: range)
            let place = Int(slot - ExpressionProgram.Slot.first)
            return try self.fold(fold, range, body, transform, place)
        }
    }

    private func variable(_ slot: Index) -> Value {
        switch slot {
        case ExpressionProgram.Slot.this: this
        case ExpressionProgram.Slot.old: old
        default: variables[Int(slot - ExpressionProgram.Slot.first)]
        }
    }

    mutating func boolean(of index: Index) throws(Failure) -> Bool {
        guard case .boolean(let isTrue) = try value(of: index) else { throw .noSuchOverload }
        return isTrue
    }

    /// `&&` (false decides) and `||` (true decides): either side may decide, even if the other is
    /// an error.
    private mutating func logic(
        _ left: Index, _ right: Index, decisive: Bool
    ) throws(Failure) -> Bool {
        do throws(Failure) {
            if try boolean(of: left) == decisive { return decisive }
        } catch .costsTooMuch {
            throw .costsTooMuch
        } catch {
            guard try decides(right, decisive) else { throw error }
            return decisive
        }
        return try boolean(of: right)
    }

    /// Whether the right side of `&&` or `||` makes up for an error of the left one.
    private mutating func decides(_ right: Index, _ decisive: Bool) throws(Failure) -> Bool {
        do throws(Failure) {
            return try boolean(of: right) == decisive
        } catch .costsTooMuch {
            throw .costsTooMuch
        } catch {
            // The first error is the one to tell.
            return false
        }
    }

    // MARK: Fields and elements

    private mutating func field(_ name: Index, of operand: Index) throws(Failure) -> Value? {
        let key = program.names[Int(name)]
        switch try value(of: operand) {
        case .entries(let entries): return Self.entry(key, entries)
        case .map(let pairs): return try pair(.text(key), pairs)
        default: throw .noSuchOverload
        }
    }

    static func entry(_ key: String, _ entries: [Node.Entry]) -> Value? {
        for index in entries.indices where Value.areSame(entries[index].key, key) {
            let value = Value(entries[index].value.value)
            if case .null = value { return nil }
            return value
        }
        return nil
    }

    private mutating func pair(_ key: Value, _ pairs: [Value.Pair]) throws(Failure) -> Value? {
        for pair in pairs where try areEqual(pair.key, key) { return pair.value }
        return nil
    }

    private mutating func element(of operand: Value, at place: Value) throws(Failure) -> Value {
        switch (operand, place) {
        case (.nodes(let nodes), .integer(let index)):
            guard index >= 0, index < nodes.count else { throw .indexOutOfBounds }
            return Value(nodes[Int(index)].value)
        case (.list(let values), .integer(let index)):
            guard index >= 0, index < values.count else { throw .indexOutOfBounds }
            return values[Int(index)]
        case (.entries(let entries), .text(let key)):
            guard let found = Self.entry(key, entries) else { throw .noSuchElement }
            return found
        case (.map(let pairs), _):
            guard let found = try pair(place, pairs) else { throw .noSuchElement }
            return found
        default: throw .noSuchOverload
        }
    }

    // MARK: Lists and maps written out

    private mutating func list(_ first: Int, _ count: Int) throws(Failure) -> Value {
        var values: [Value] = []
        values.reserveCapacity(count)
        for place in first..<(first + count) {
            values.append(try value(of: program.arguments[place]))
        }
        return .list(values)
    }

    private mutating func map(_ first: Int, _ count: Int) throws(Failure) -> Value {
        var pairs: [Value.Pair] = []
        pairs.reserveCapacity(count)
        for place in stride(from: first, to: first + 2 * count, by: 2) {
            let key = try value(of: program.arguments[place])
            switch key {
            case .boolean, .integer, .text: break
            default: throw .noSuchOverload
            }
            guard try pair(key, pairs) == nil else { throw .repeatedKey }
            pairs.append(
                Value.Pair(key: key, value: try value(of: program.arguments[place + 1])))
        }
        return .map(pairs)
    }

    // MARK: Macros

    private mutating func fold(
        _ fold: ExpressionProgram.Fold, _ range: Value, _ body: Index, _ transform: Index,
        _ place: Int
    ) throws(Failure) -> Value {
        var run = FoldRun(fold: fold, body: body, transform: transform, place: place)
        switch range {
        case .nodes(let nodes):
            let sieve = sieve(run)
            for index in nodes.indices {
                if let sieve, sieve.excludes(nodes[index].value) {
                    try charge(1)
                    try charge(bytes: sieve.bytes)
                    continue
                }
                if try take(Value(nodes[index].value), &run) { break }
            }
        case .list(let values):
            for value in values where try take(value, &run) { break }
        case .entries(let entries):
            for index in entries.indices where !entries[index].value.isNull {
                if try take(.text(entries[index].key), &run) { break }
            }
        case .map(let pairs):
            for pair in pairs where try take(pair.key, &run) { break }
        default: throw .noSuchOverload
        }
        return try run.result()
    }

    /// Where what is false for an element changes nothing.
    private func sieve(_ run: FoldRun) -> FoldSieve? {
        switch run.fold {
        case .all, .map: nil
        case .exists, .existsOne, .filter:
            FoldSieve(
                program, body: run.body, slot: Index(run.place) + ExpressionProgram.Slot.first,
                variables: variables)
        }
    }

    /// Evaluates a macro's body for one element; whether the result is decided.
    private mutating func take(_ element: Value, _ run: inout FoldRun) throws(Failure) -> Bool {
        variables[run.place] = element
        switch run.fold {
        case .all, .exists:
            do throws(Failure) {
                let isTrue = try boolean(of: run.body)
                if isTrue == (run.fold == .exists) { run.isDecided = true }
            } catch .costsTooMuch {
                throw .costsTooMuch
            } catch {
                // As with `||`: a later element may still decide.
                if run.failure == nil { run.failure = error }
            }
        case .existsOne:
            if try boolean(of: run.body) { run.count += 1 }
        case .filter:
            if try boolean(of: run.body) { run.values.append(element) }
        case .map:
            if run.body >= 0, !(try boolean(of: run.body)) { return false }
            run.values.append(try value(of: run.transform))
        }
        return run.isDecided
    }

    /// How far a macro has come.
    private struct FoldRun {
        let fold: ExpressionProgram.Fold
        let body: Index
        let transform: Index
        let place: Int
        var isDecided = false
        var failure: Failure?
        var count = 0
        var values: [Value] = []

        func result() throws(Failure) -> Value {
            switch fold {
            case .filter, .map: return .list(values)
            case .existsOne: return .boolean(count == 1)
            case .all, .exists:
                if !isDecided, let failure { throw failure }
                return .boolean(isDecided == (fold == .exists))
            }
        }
    }
}
