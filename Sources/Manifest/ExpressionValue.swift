import CLinux

/// A value while an expression is evaluated. What comes from a node shares the node's storage. Made
/// and dropped by one evaluation; the constants of a program are shared by all.
enum ExpressionValue: Sendable {
    struct Pair: Sendable {
        let key: ExpressionValue
        let value: ExpressionValue
    }

    case null
    case boolean(Bool)
    case integer(Int64)
    case real(Double)
    case text(String)
    /// In nanoseconds.
    case duration(Int64)
    case nodes([Node])
    case list([ExpressionValue])
    /// An entry whose value is null is not there, as in Kubernetes.
    case entries([Node.Entry])
    case map([Pair])

    init(_ node: Node) { self.init(node.value) }

    /// Of the value alone: to copy a node would count a reference to its file's name, too.
    init(_ value: Node.Value) {
        switch value {
        case .mapping(let entries): self = .entries(entries)
        case .sequence(let items): self = .nodes(items)
        case .scalar(let scalar):
            switch scalar.kind {
            case .text: self = .text(scalar.text)
            case .boolean(let isTrue): self = .boolean(isTrue)
            case .integer(let number): self = .integer(number)
            case .null: self = .null
            case .real: self = .real(Self.real(scalar.text))
            }
        }
    }

    /// A number that `Scalar` took for a real one, YAML's words for infinity and the like included.
    private static func real(_ text: String) -> Double {
        if let number = Double(text) { return number }
        let plain = text.filter { $0 != "_" }.lowercased()
        if let number = Double(plain) { return number }
        switch plain {
        case ".inf", "+.inf": return .infinity
        case "-.inf": return -.infinity
        default: return .nan
        }
    }

    /// CEL compares the bytes; Swift's `==` would take composed and decomposed letters for one.
    static func areSame(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return withBytes(left) { left in
            withBytes(right) { right in
                // A loop over bytes took a tenth of an evaluation's time.
                left.count == 0 || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0
            }
        }
    }

    static func withBytes<Result>(
        _ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
        var text = text
        return text.withUTF8(body)
    }

    /// Below, at or above nothing: the sign of `left - right`. Nil where a NaN is compared, which
    /// has no order; an error where the types have none.
    static func order(
        _ left: ExpressionValue, _ right: ExpressionValue
    ) throws(ExpressionFailure) -> Int? {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): return sign(left, right)
        case (.duration(let left), .duration(let right)): return sign(left, right)
        case (.real(let left), .real(let right)):
            return left.isNaN || right.isNaN ? nil : sign(left, right)
        case (.integer(let left), .real(let right)): return sign(left, right)
        case (.real(let left), .integer(let right)): return sign(right, left).map { -$0 }
        case (.boolean(let left), .boolean(let right)): return sign(left ? 1 : 0, right ? 1 : 0)
        case (.text(let left), .text(let right)):
            return withBytes(left) { left in
                withBytes(right) { right in
                    if left.elementsEqual(right) { return 0 }
                    return left.lexicographicallyPrecedes(right) ? -1 : 1
                }
            }
        default: throw .noSuchOverload
        }
    }

    private static func sign<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }

    /// Exact: not every integer of 64 bits is a `Double`.
    private static func sign(_ left: Int64, _ right: Double) -> Int? {
        if right.isNaN { return nil }
        guard right < 0x1p63 else { return -1 }
        guard right >= -0x1p63 else { return 1 }
        let whole = right.rounded(.towardZero)
        let byWhole = sign(left, Int64(whole))
        return byWhole != 0 ? byWhole : sign(whole, right)
    }
}
