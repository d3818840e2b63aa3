@testable import Manifest

/// Expressions under libFuzzer: any text is a rule or an error with an offset inside it, and a rule
/// has the same verdict over an object each time. A broken promise traps. Up to the first zero byte
/// the input is the rule; what follows is a string of the object.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzExpression(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: data, count: count)
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let source = String(decoding: parts[0], as: UTF8.self)
    let text = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : "text"
    checkDuration(text)
    do throws(ExpressionError) {
        let rule = try Expression(source)
        let old = object(text: "old")
        let new = object(text: text)
        let verdict = rule.isTrue(self: new, oldSelf: old)
        precondition(verdict == rule.isTrue(self: new, oldSelf: old))
        if rule.isTransition { precondition(rule.isTrue(self: new) == .isTrue) }
        let again = try Expression(source)
        precondition(again.isTrue(self: new, oldSelf: old) == verdict)
        for node in [
            scalar("7"), scalar("", isText: false), Node(place: place, value: .sequence([])),
        ] {
            _ = rule.isTrue(self: node)
        }
    } catch {
        precondition((0...source.utf8.count).contains(error.offset), "\(error)")
        precondition(!error.message.isEmpty)
    }
    return 0
}

/// Both signs of a duration are as far from nothing.
private func checkDuration(_ text: String) {
    guard let duration = ExpressionEvaluation.nanoseconds(text), !text.hasPrefix("-"),
        !text.hasPrefix("+")
    else { return }
    precondition(duration >= 0)
    precondition(ExpressionEvaluation.nanoseconds("-" + text) == -duration)
}

private let place = SourcePlace(file: "fuzz.yaml", line: 1, column: 1)

private func scalar(_ text: String, isText: Bool = false) -> Node {
    Node(place: place, value: .scalar(Scalar(text, isText: isText)))
}

private func mapping(_ entries: [(String, Node)]) -> Node {
    Node(
        place: place,
        value: .mapping(
            entries.map { Node.Entry(key: $0.0, keyPlace: place, value: $0.1) }))
}

private func object(text: String) -> Node {
    let names = ["a", "b", "c", "d", "e"].map { scalar($0) }
    let records = ["a", "b", "a"].map { name in
        mapping([("name", scalar(name)), ("port", scalar("80")), ("empty", scalar("~"))])
    }
    return mapping([
        ("name", scalar(text, isText: true)), ("port", scalar("9223372036854775807")),
        ("real", scalar(".nan")), ("yes", scalar("true")), ("nothing", scalar("null")),
        ("names", Node(place: place, value: .sequence(names))),
        ("records", Node(place: place, value: .sequence(records))),
        ("record", mapping([("namespace", scalar("shop")), ("kind", scalar("Service"))])),
    ])
}
