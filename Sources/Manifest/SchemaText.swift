/// The schema of a kind as it is written in the source: one field a line, what belongs to it below
/// and two spaces further in.
///
/// ```
/// def NAME                  lines that several fields share; `@NAME` puts them in
/// name! TYPE ATTRIBUTES     a field; with `!` it is required
///   ~ PATTERN               it matches this regular expression
///   ? RULE                  it fulfils this CEL expression
///     > MESSAGE             what is said otherwise
///   ?? RULE                 of a list or map as a whole; `?` is then of each item
///   = JSON                  its default; `==` of a list or map as a whole
/// ```
/// TYPE is `object`, `any-object` (unknown fields are kept), `string`, `integer`, `number`,
/// `boolean`, `quantity`, `any`, or `[]TYPE` and `{}TYPE` for lists and maps. ATTRIBUTES are
/// `enum=a|b`, `len=1..253`, `in=0..65535`, `n=1..16` (items), `keys=a,b`, `set`, `format=byte`.
///
/// Over the schema of a CRD lies an overlay, which says what this program takes besides it:
/// ```
/// name                      goes down into a field
/// name +TYPE ATTRIBUTES     a new field, or another node type for one that is there
/// name optional             no longer required
/// name free                 of any form; the decoder looks at it
/// name later WHY            understood and not acted on
/// name infer other=VALUE    its value where it is absent and `other` is there
/// - MESSAGE                 the rule with this message does not hold
/// ```
package struct SchemaText: Sendable {
    package let kind: String
    package let group: String
    package let versions: [String]
    let text: String
    var overlay = ""
}

/// The lines of a schema text as a tree.
struct SchemaLine {
    let text: Substring
    var below: [SchemaLine] = []

    /// The word before the first space, and the rest.
    var head: (word: Substring, rest: Substring) {
        guard let space = text.firstIndex(of: " ") else { return (text, "") }
        return (text[..<space], text[text.index(after: space)...])
    }

    static func tree(_ text: String) -> [SchemaLine] {
        let lines = text.split(separator: "\n")[...]
        var rest = lines
        return tree(&rest, depth: 0)
    }

    private static func tree(_ rest: inout ArraySlice<Substring>, depth: Int) -> [SchemaLine] {
        var lines: [SchemaLine] = []
        while let next = rest.first {
            let indentation = next.utf8.prefix { $0 == UInt8(ascii: " ") }.count
            guard indentation >= depth else { break }
            if indentation > depth {
                lines[lines.count - 1].below = tree(&rest, depth: indentation)
            } else {
                rest.removeFirst()
                lines.append(SchemaLine(text: next.dropFirst(indentation)))
            }
        }
        return lines
    }
}
