import Primitives
import Routing

/// The values that are in force in a part of the plan, by the names of its fields: whatever the
/// plan gains is told at once. Keys of certificates are not told. A namespace.
enum SettingList {
    /// Longer values are cut: certificate authorities as PEM are one line of each.
    private static let valueCharactersMax = 100

    /// - Parameters:
    ///   - name: of the part of the plan, which comes before the names; empty: none does.
    ///   - without: fields that are told elsewhere.
    ///   - silent: fields that are not told where nobody wrote them: they mean nothing here.
    ///   - sources: where values may come from, the first that has one first.
    static func settings(
        of value: Any, named name: String, without: Set<String> = [], silent: Set<String> = [],
        from sources: [SettingSource] = []
    ) -> [Explanation.Setting] {
        var list: [Value] = []
        append(value, "", without, to: &list)
        return list.compactMap { value in
            let origin = sources.lazy.compactMap { $0.origin(of: value.name, value: value.text) }
                .first
            if origin == nil, silent.contains(where: { value.isWithin($0) }) { return nil }
            return Explanation.Setting(
                name: join(name, value.name), value: value.text, origin: origin)
        }
    }

    private struct Value {
        let name: String
        let text: String

        func isWithin(_ whole: String) -> Bool { name == whole || name.hasPrefix(whole + ".") }
    }

    private static func append(
        _ value: Any, _ name: String, _ without: Set<String>,
        to list: inout [Value]
    ) {
        if let text = text(of: value) {
            // An empty list or text is as good as absent.
            if !text.isEmpty { list.append(Value(name: name, text: text)) }
            return
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            // Absent parts are not told: what they would switch on is off.
            guard let child = mirror.children.first else { return }
            append(child.value, name, without, to: &list)
        case .collection:
            for (number, child) in mirror.children.enumerated() {
                append(child.value, "\(name)[\(number)]", without, to: &list)
            }
        case .enum:
            guard let child = mirror.children.first else {
                return list.append(Value(name: name, text: "\(value)"))
            }
            let label = child.label ?? ""
            // What the listener's transport is called is said by its settings.
            append(child.value, name.isEmpty ? name : join(name, label), without, to: &list)
        default:
            for child in mirror.children {
                guard let label = child.label, !without.contains(label) else { continue }
                append(child.value, join(name, label), [], to: &list)
            }
        }
    }

    private static func join(_ name: String, _ part: String) -> String {
        name.isEmpty ? part : part.isEmpty ? name : "\(name).\(part)"
    }

    /// Nil = it has parts.
    private static func text(of value: Any) -> String? {
        switch value {
        case let certificate as CertificatePlan: return certificate.name
        case let text as String: return short(text)
        case let number as any BinaryInteger: return "\(number)"
        case let truth as Bool: return "\(truth)"
        case let address as IPAddress: return "\(address)"
        case let range as AddressRange: return "\(range.address)/\(range.prefixBits)"
        case let host as HostPattern: return "\(host)"
        case let list as [String]: return list.map(short).joined(separator: ", ")
        case let numbers as [UInt16]: return numbers.map(String.init).joined(separator: ", ")
        case let numbers as [UInt32]: return numbers.map(String.init).joined(separator: ", ")
        case let bytes as [UInt8]: return bytes.isEmpty ? "" : "\(bytes.count) bytes"
        default: return nil
        }
    }

    private static func short(_ text: String) -> String {
        let line = text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
        guard line == text, text.count <= valueCharactersMax else {
            return String(line.prefix(valueCharactersMax)) + "…"
        }
        return text
    }
}
