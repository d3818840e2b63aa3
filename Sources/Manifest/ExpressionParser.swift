/// Makes a program of an expression's text, by recursive descent over the grammar of CEL's language
/// definition ("Syntax"). Used once for each expression. Pure.
struct ExpressionParser {
    typealias Index = ExpressionProgram.Index
    typealias Term = ExpressionProgram.Term
    typealias Token = ExpressionScanner.Token

    private var scanner: ExpressionScanner
    private var token = Token.end
    private var offset = 0
    private var parts = ExpressionProgram.Parts()
    /// By term: how deep the terms below it are nested.
    private var heights: [Int] = []
    /// Names of variables by slot.
    private var scope = ["self", "oldSelf"]
    private var depth = 0

    init(_ source: String) throws(ExpressionError) {
        scanner = ExpressionScanner(source)
        guard source.utf8.count <= Expression.sourceBytesMax else {
            throw ExpressionError(
                offset: Expression.sourceBytesMax,
                message: "longer than \(Expression.sourceBytesMax) bytes")
        }
        try advance()
    }

    mutating func parse() throws(ExpressionError) -> ExpressionProgram {
        let root = try expression()
        guard token == .end else { throw error("the expression should end here") }
        return ExpressionProgram(parts, root: root)
    }

    // MARK: Tokens

    private mutating func advance() throws(ExpressionError) {
        (token, offset) = try scanner.next()
    }

    private func error(_ message: String, at place: Int? = nil) -> ExpressionError {
        ExpressionError(offset: place ?? offset, message: message)
    }

    private mutating func accept(_ symbol: String) throws(ExpressionError) -> Bool {
        guard token == .symbol(symbol) else { return false }
        try advance()
        return true
    }

    private mutating func expect(_ symbol: String) throws(ExpressionError) {
        guard try accept(symbol) else { throw error("expected \(symbol)") }
    }

    private mutating func identifier() throws(ExpressionError) -> String {
        guard case .identifier(let name) = token else { throw error("expected a name") }
        try advance()
        return name
    }

    // MARK: Terms

    private mutating func emit(
        _ term: Term, over children: Index...
    ) throws(ExpressionError) -> Index {
        try emit(term, over: children)
    }

    private mutating func emit(
        _ term: Term, over children: [Index]
    ) throws(ExpressionError) -> Index {
        let height = 1 + (children.map { heights[Int($0)] }.max() ?? 0)
        guard height <= Expression.depthMax else { throw tooDeep() }
        parts.terms.append(term)
        heights.append(height)
        return Index(parts.terms.count - 1)
    }

    private func tooDeep() -> ExpressionError {
        error("nested deeper than \(Expression.depthMax) levels")
    }

    private mutating func constant(_ value: ExpressionValue) throws(ExpressionError) -> Index {
        parts.constants.append(value)
        return try emit(.constant(Index(parts.constants.count - 1)))
    }

    /// Evaluates now what is made of constants alone. What has no value stays as it is, and is an
    /// error when it is evaluated.
    private mutating func folded(
        _ term: Index, over children: [Index]
    ) throws(ExpressionError) -> Index {
        let areConstant = children.allSatisfy {
            if case .constant = parts.terms[Int($0)] { true } else { false }
        }
        guard areConstant else { return term }
        let nothing = Node(
            place: SourcePlace(file: "", line: 1, column: 1),
            value: .scalar(Scalar("", isText: false)))
        var evaluation = ExpressionEvaluation(
            ExpressionProgram(parts, root: term), self: nothing, oldSelf: nil)
        guard let value = try? evaluation.value(of: term) else { return term }
        return try constant(value)
    }

    private mutating func name(_ name: String) -> Index {
        let plain = Self.unescaped(name)
        if let known = parts.names.firstIndex(of: plain) { return Index(known) }
        parts.names.append(plain)
        return Index(parts.names.count - 1)
    }

    /// Names that CEL reserves, or cannot write, as Kubernetes escapes them: `__namespace__` is the
    /// field `namespace` (Kubernetes API, CustomResourceDefinition, `x-kubernetes-validations`).
    private static func unescaped(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: "_")) else { return name }
        if name.hasPrefix("__"), name.hasSuffix("__"), name.utf8.count > 4 {
            let word = String(name.dropFirst(2).dropLast(2))
            if reservedWords.contains(word) { return word }
        }
        var result = ""
        var rest = Substring(name)
        scan: while !rest.isEmpty {
            for (escape, character) in escapes where rest.hasPrefix(escape) {
                result += character
                rest = rest.dropFirst(escape.count)
                continue scan
            }
            result.append(rest.removeFirst())
        }
        return result
    }

    private static let escapes = [
        ("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"),
    ]

    private static let reservedWords: Set<String> = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
        "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void",
        "while",
    ]

    // MARK: Operators

    private mutating func expression() throws(ExpressionError) -> Index {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Expression.depthMax else { throw tooDeep() }
        let condition = try binary(0)
        guard try accept("?") else { return condition }
        let yes = try binary(0)
        try expect(":")
        let no = try expression()
        return try emit(.condition(condition, yes, otherwise: no), over: condition, yes, no)
    }

    /// Binary operators, the loosest first; all of them group to the left.
    private static let levels: [Set<String>] = [
        ["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"],
    ]

    private mutating func binary(_ level: Int) throws(ExpressionError) -> Index {
        guard level < Self.levels.count else { return try unary() }
        var left = try binary(level + 1)
        while case .symbol(let symbol) = token, Self.levels[level].contains(symbol) {
            try advance()
            let right = try binary(level + 1)
            switch symbol {
            case "||": left = try emit(.or(left, right), over: left, right)
            case "&&": left = try emit(.and(left, right), over: left, right)
            default:
                guard let operation = ExpressionProgram.Operator(rawValue: symbol) else {
                    preconditionFailure("every symbol of a level is an operator")
                }
                left = try emit(.operation(operation, left, right), over: left, right)
            }
        }
        return left
    }

    private mutating func unary() throws(ExpressionError) -> Index {
        var count = 0
        let symbol = token
        guard symbol == .symbol("!") || symbol == .symbol("-") else { return try member() }
        while token == symbol {
            count += 1
            guard count <= Expression.depthMax else { throw tooDeep() }
            try advance()
        }
        var operand = try member()
        for _ in 0..<count {
            if symbol == .symbol("!") {
                operand = try emit(.not(operand), over: operand)
            } else {
                let term = try emit(.negation(operand), over: operand)
                operand = try folded(term, over: [operand])
            }
        }
        return operand
    }

    // MARK: Members

    private mutating func member() throws(ExpressionError) -> Index {
        var operand = try primary()
        while true {
            if try accept(".") {
                let place = offset
                let name = try identifier()
                if try accept("(") {
                    operand = try method(name, of: operand, at: place)
                } else {
                    let key = self.name(name)
                    operand = try emit(.select(operand, name: key), over: operand)
                }
            } else if try accept("[") {
                let place = try expression()
                try expect("]")
                operand = try emit(.element(of: operand, at: place), over: operand, place)
            } else {
                return operand
            }
        }
    }

    private mutating func method(
        _ name: String, of receiver: Index, at place: Int
    ) throws(ExpressionError) -> Index {
        let macro = name == "existsOne" ? "exists_one" : name
        if let fold = ExpressionProgram.Fold(rawValue: macro) {
            return try self.fold(fold, over: receiver)
        }
        guard let function = ExpressionProgram.Function(rawValue: name),
            let allowed = function.argumentsAsMethod
        else {
            throw error("there is no method \(name)", at: place)
        }
        return try call(function, [receiver], allowed, at: place)
    }

    private mutating func function(
        _ name: String, at place: Int
    ) throws(ExpressionError) -> Index {
        if name == "has" { return try has() }
        guard let function = ExpressionProgram.Function(rawValue: name),
            let allowed = function.argumentsAsFunction
        else {
            throw error("there is no function \(name)", at: place)
        }
        return try call(function, [], allowed, at: place)
    }

    private mutating func call(
        _ function: ExpressionProgram.Function, _ receiver: [Index], _ allowed: ClosedRange<Int>,
        at place: Int
    ) throws(ExpressionError) -> Index {
        let start = offset
        let given = try list(until: ")")
        guard allowed.contains(given.count) else {
            throw error("\(function.rawValue) does not take \(given.count) arguments", at: place)
        }
        let arguments = receiver + given
        if function == .matches, case .constant(let constant) = parts.terms[Int(arguments[1])],
            case .text(let text) = parts.constants[Int(constant)]
        {
            let pattern = try compiled(text, at: start)
            return try emit(.match(arguments[0], pattern: pattern), over: arguments)
        }
        let first = Index(parts.arguments.count)
        parts.arguments += arguments
        let term = try emit(
            .call(function, first: first, count: Index(arguments.count)), over: arguments)
        return function == .duration ? try folded(term, over: arguments) : term
    }

    private mutating func compiled(
        _ text: String, at place: Int
    ) throws(ExpressionError) -> Index {
        do throws(PatternError) {
            parts.patterns.append(try Pattern(text))
        } catch {
            throw self.error(
                "the regular expression is wrong at \(error.offset): \(error.message)", at: place)
        }
        return Index(parts.patterns.count - 1)
    }

    /// `has(a.b)` looks whether there is a field, where `a.b` would be an error without it.
    private mutating func has() throws(ExpressionError) -> Index {
        let place = offset
        let operand = try expression()
        try expect(")")
        guard case .select(let record, let name) = parts.terms[Int(operand)] else {
            throw error("has takes a field, as in has(self.name)", at: place)
        }
        parts.terms[Int(operand)] = .has(record, name: name)
        return operand
    }

    /// `range.all(variable, body)` and its like; `map` may have a condition before its body.
    private mutating func fold(
        _ fold: ExpressionProgram.Fold, over range: Index
    ) throws(ExpressionError) -> Index {
        let variable = try identifier()
        guard !Self.reservedWords.contains(variable) else {
            throw error("\(variable) is no name of a variable")
        }
        try expect(",")
        let slot = scope.count
        scope.append(variable)
        defer { scope.removeLast() }
        let count = scope.count - Int(ExpressionProgram.Slot.first)
        guard count <= Expression.variablesMax else {
            throw error("more than \(Expression.variablesMax) variables at once")
        }
        parts.variables = max(parts.variables, count)
        let body = try expression()
        guard fold == .map else {
            try expect(")")
            return try emit(
                .fold(fold, over: range, body: body, transform: -1, slot: Index(slot)),
                over: range, body)
        }
        let hasCondition = try accept(",")
        let transform = hasCondition ? try expression() : body
        try expect(")")
        return try emit(
            .fold(
                fold, over: range, body: hasCondition ? body : -1, transform: transform,
                slot: Index(slot)),
            over: range, body, transform)
    }

    // MARK: Primaries

    private mutating func primary() throws(ExpressionError) -> Index {
        let place = offset
        let first = token
        try advance()
        switch first {
        case .integer(let number): return try constant(.integer(number))
        case .real(let number): return try constant(.real(number))
        case .text(let text): return try constant(.text(text))
        case .identifier("true"): return try constant(.boolean(true))
        case .identifier("false"): return try constant(.boolean(false))
        case .identifier("null"): return try constant(.null)
        case .identifier(let name):
            if try accept("(") { return try function(name, at: place) }
            guard let slot = scope.lastIndex(of: name) else {
                throw error("there is no variable \(name)", at: place)
            }
            if slot == Int(ExpressionProgram.Slot.old) { parts.isTransition = true }
            return try emit(.variable(Index(slot)))
        case .symbol("("):
            let inner = try expression()
            try expect(")")
            return inner
        case .symbol("["):
            let items = try list(until: "]")
            let first = Index(parts.arguments.count)
            parts.arguments += items
            let term = try emit(.list(first: first, count: Index(items.count)), over: items)
            return try folded(term, over: items)
        case .symbol("{"): return try map()
        case .end: throw error("the expression ends too early", at: place)
        default: throw error("no value begins so", at: place)
        }
    }

    /// Expressions with commas between, and one after the last in a list if one likes.
    private mutating func list(until end: String) throws(ExpressionError) -> [Index] {
        var items: [Index] = []
        while try !accept(end) {
            items.append(try expression())
            if try accept(end) { break }
            try expect(",")
            if end == ")", token == .symbol(end) { throw error("expected an argument") }
        }
        return items
    }

    private mutating func map() throws(ExpressionError) -> Index {
        var items: [Index] = []
        while try !accept("}") {
            items.append(try expression())
            try expect(":")
            items.append(try expression())
            if try accept("}") { break }
            try expect(",")
        }
        let first = Index(parts.arguments.count)
        parts.arguments += items
        let term = try emit(.map(first: first, count: Index(items.count / 2)), over: items)
        return try folded(term, over: items)
    }
}

extension ExpressionProgram.Function {
    /// How many arguments it takes in `function(…)`; nil when it is not called so.
    fileprivate var argumentsAsFunction: ClosedRange<Int>? {
        switch self {
        case .size, .duration, .isIP: 1...1
        case .matches: 2...2
        default: nil
        }
    }

    /// Beside the receiver, in `receiver.function(…)`.
    fileprivate var argumentsAsMethod: ClosedRange<Int>? {
        switch self {
        case .size, .lowerAscii, .upperAscii: 0...0
        case .matches, .contains, .startsWith, .endsWith: 1...1
        case .split, .substring: 1...2
        case .duration, .isIP: nil
        }
    }
}
