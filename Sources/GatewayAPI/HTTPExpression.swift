import Manifest
import Routing

/// The regular expressions of routes (`RegularExpression` in matches of HTTPRoute and GRPCRoute),
/// in PCRE2's syntax, as the tables of the data path and of `apus explain` compile them.
public enum HTTPExpression {
    /// An expression stands for all of a path or value, as with Envoy: `/a.*`, not `/a`, to match
    /// `/ab`. Bytes that are no UTF-8 are matched as U+FFFD.
    /// - Returns: nil when the text is no expression.
    public static func compile(_ text: String) -> HTTPTable.Expression? {
        // Alone first: `a)|(b` is no expression, and would be one between parentheses.
        guard (try? Pattern(text)) != nil, let whole = try? Pattern("\\A(?:\(text))\\z") else {
            return nil
        }
        return { bytes in whole.matches(String(decoding: bytes, as: UTF8.self)) }
    }
}

extension ListenerTable {
    public convenience init(_ plan: ListenerPlan) {
        self.init(plan, compile: HTTPExpression.compile)
    }
}
