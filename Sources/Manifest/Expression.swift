/// What is wrong with the text of an expression. A value.
package struct ExpressionError: Error, Hashable, Sendable {
    /// In bytes from the start of the expression.
    package let offset: Int
    package let message: String
}

/// A rule of a CRD's schema (`x-kubernetes-validations`) in the Common Expression Language,
/// https://github.com/google/cel-spec/blob/master/doc/langdef.md, as far as Kubernetes' own CRDs
/// write it. Parsed once into terms that lie in one array, children before parents, and evaluated
/// on any thread: it is immutable. The schema that it belongs to owns it.
package struct Expression: Sendable {
    package enum Verdict: Hashable, Sendable {
        case isTrue, isFalse
        /// An error of CEL's, such as a field that is not there. The API server refuses the object,
        /// as if the rule were false.
        case failed(String)
    }

    /// The longest rule of Gateway API and Envoy Gateway has 1,500 bytes.
    package static let sourceBytesMax = 16 << 10
    /// Nesting; bounds the recursion of parser and evaluation.
    package static let depthMax = 128
    /// Variables of macros, one within the other.
    package static let variablesMax = 16
    /// Terms that one evaluation may take, with one more for every so many bytes or elements that
    /// a term looks at: the API server's limit for a call. It takes about 20 ms.
    package static let costMax = 1_000_000

    package let source: String
    /// Whether it speaks of the object's earlier state. Such a rule does not apply to an object
    /// that is created.
    package let isTransition: Bool

    let program: ExpressionProgram

    package init(_ source: String) throws(ExpressionError) {
        var parser = try ExpressionParser(source)
        self.program = try parser.parse()
        self.source = source
        self.isTransition = program.isTransition
    }

    /// - Parameter oldNode: the earlier state; without it a transition rule does not apply, and is
    ///   true.
    package func isTrue(self node: Node, oldSelf oldNode: Node? = nil) -> Verdict {
        if isTransition, oldNode == nil { return .isTrue }
        var evaluation = ExpressionEvaluation(program, self: node, oldSelf: oldNode)
        do {
            guard case .boolean(let isTrue) = try evaluation.value(of: program.root) else {
                return .failed("the rule gives no boolean")
            }
            return isTrue ? .isTrue : .isFalse
        } catch {
            return .failed(error.reason(program))
        }
    }
}

/// A parsed expression: terms that name each other, and what they refer to, by index. Owned by an
/// `Expression`; immutable. A class, because an evaluation would else retain six arrays.
final class ExpressionProgram: Sendable {
    typealias Index = Int32

    /// One step of an evaluation. Trivial, so that reading one costs no reference count.
    enum Term: BitwiseCopyable, Sendable {
        case constant(Index)
        /// `self`, `oldSelf` and the variables of macros, by `Slot`.
        case variable(Index)
        case select(Index, name: Index)
        /// `has(operand.name)`.
        case has(Index, name: Index)
        case element(of: Index, at: Index)
        case not(Index)
        case negation(Index)
        case and(Index, Index)
        case or(Index, Index)
        case condition(Index, Index, otherwise: Index)
        case operation(Operator, Index, Index)
        /// The arguments stand in `arguments`, the receiver first.
        case call(Function, first: Index, count: Index)
        /// `matches` with a literal, which is compiled already.
        case match(Index, pattern: Index)
        case list(first: Index, count: Index)
        /// Keys and values take turns.
        case map(first: Index, count: Index)
        /// A macro over the elements of a list, or the keys of a map.
        case fold(Fold, over: Index, body: Index, transform: Index, slot: Index)
    }

    enum Operator: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case isIn = "in"
        case plus = "+"
        case minus = "-"
        case times = "*"
        case divide = "/"
        case remainder = "%"
    }

    enum Fold: String, Sendable {
        case all, exists
        case existsOne = "exists_one"
        case filter, map
    }

    enum Function: String, Sendable {
        case size, duration, isIP, matches, contains, startsWith, endsWith, lowerAscii, upperAscii
        case split, substring
    }

    /// Places of variables; those of macros follow.
    enum Slot {
        static let this: Index = 0
        static let old: Index = 1
        static let first: Index = 2
    }

    /// What the parser gathers.
    struct Parts {
        var terms: [Term] = []
        var arguments: [Index] = []
        var constants: [ExpressionValue] = []
        var names: [String] = []
        var patterns: [Pattern] = []
        var isTransition = false
        /// The most variables of macros that live at once.
        var variables = 0
    }

    let terms: [Term]
    let arguments: [Index]
    let constants: [ExpressionValue]
    let names: [String]
    let patterns: [Pattern]
    let isTransition: Bool
    let variables: Int
    let root: Index

    init(_ parts: Parts, root: Index) {
        terms = parts.terms
        arguments = parts.arguments
        constants = parts.constants
        names = parts.names
        patterns = parts.patterns
        isTransition = parts.isTransition
        variables = parts.variables
        self.root = root
    }
}

/// Why an evaluation has no value. Trivial, because `&&` and `||` drop most of them.
enum ExpressionFailure: Error, Hashable {
    case noSuchKey(ExpressionProgram.Index)
    case noSuchElement
    case indexOutOfBounds
    case noSuchOverload
    case overflow
    case divisionByZero
    case notADuration
    case notAPattern
    case repeatedKey
    /// Not absorbed by anything: nothing more is evaluated.
    case costsTooMuch

    func reason(_ program: ExpressionProgram) -> String {
        switch self {
        case .noSuchKey(let name): "no such key: \(program.names[Int(name)])"
        case .noSuchElement: "no such key"
        case .indexOutOfBounds: "index out of bounds"
        case .noSuchOverload: "no such overload: the values have types that the rule cannot take"
        case .overflow: "integer overflow"
        case .divisionByZero: "division by zero"
        case .notADuration: "not a duration"
        case .notAPattern: "not a regular expression"
        case .repeatedKey: "a map's key is repeated"
        case .costsTooMuch: "the rule costs too much to evaluate"
        }
    }
}
