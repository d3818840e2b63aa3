/// A JSON value to write (RFC 8259). Fields keep their order, so that outputs can be compared.
package indirect enum JSON: Equatable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// Finite: JSON has no other.
    case real(Double)
    case text(String)
    case array([JSON])
    case object([Field])

    package struct Field: Equatable, Sendable {
        package let name: String
        package let value: JSON

        package init(name: String, value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// Fields in this order; those that are null are left out.
    package static func object(_ fields: KeyValuePairs<String, JSON>) -> JSON {
        .object(fields.filter { $0.value != .null }.map { Field(name: $0.key, value: $0.value) })
    }

    package static func text(_ value: String?) -> JSON { value.map(JSON.text) ?? .null }

    /// The document in lines, two spaces a level.
    package var document: String {
        var text = ""
        write(to: &text, indentation: "")
        return text + "\n"
    }

    private func write(to text: inout String, indentation: String) {
        switch self {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += "\(value)"
        case .real(let value): text += "\(value)"
        case .text(let value): Self.quote(value, to: &text)
        case .array(let values):
            guard !values.isEmpty else {
                text += "[]"
                return
            }
            text += "["
            for (number, value) in values.enumerated() {
                text += (number == 0 ? "\n" : ",\n") + indentation + "  "
                value.write(to: &text, indentation: indentation + "  ")
            }
            text += "\n" + indentation + "]"
        case .object(let fields):
            guard !fields.isEmpty else {
                text += "{}"
                return
            }
            text += "{"
            for (number, field) in fields.enumerated() {
                text += (number == 0 ? "\n" : ",\n") + indentation + "  "
                Self.quote(field.name, to: &text)
                text += ": "
                field.value.write(to: &text, indentation: indentation + "  ")
            }
            text += "\n" + indentation + "}"
        }
    }

    private static func quote(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
