/// A Kubernetes quantity of bytes (`resource.Quantity`): `32Ki`, `1M`, `4096`, `1e3`. `100m` is a
/// tenth, and so no number of bytes.
enum Quantity {
    /// Whole bytes; nil = it is none, or more than 64 bits hold.
    static func bytes(_ text: String) -> UInt64? {
        let bytes = text.utf8
        let digits = bytes.prefix { $0.isDigit || $0 == UInt8(ascii: ".") }
        guard let number = decimal(digits) else { return nil }
        let suffix = String(decoding: bytes.dropFirst(digits.count), as: UTF8.self)
        let factor: UInt64
        switch suffix {
        case "": factor = 1
        case "k": factor = 1_000
        case "M": factor = 1_000_000
        case "G": factor = 1_000_000_000
        case "T": factor = 1_000_000_000_000
        case "P": factor = 1_000_000_000_000_000
        case "E": factor = 1_000_000_000_000_000_000
        case "Ki": factor = 1 << 10
        case "Mi": factor = 1 << 20
        case "Gi": factor = 1 << 30
        case "Ti": factor = 1 << 40
        case "Pi": factor = 1 << 50
        case "Ei": factor = 1 << 60
        default:
            guard let exponent = exponent(suffix) else { return nil }
            factor = exponent
        }
        let (scaled, hasOverflown) = number.units.multipliedReportingOverflow(by: factor)
        guard !hasOverflown, scaled % number.scale == 0 else { return nil }
        return scaled / number.scale
    }

    /// Digits with at most one point, as a fraction.
    private static func decimal(_ digits: Substring.UTF8View) -> (units: UInt64, scale: UInt64)? {
        let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard !digits.isEmpty, parts.count <= 2, digits.count <= 19 else { return nil }
        let fraction = parts.count == 2 ? parts[1] : digits.prefix(0)
        let all =
            String(decoding: parts[0], as: UTF8.self) + String(decoding: fraction, as: UTF8.self)
        guard let units = UInt64(all) else { return nil }
        return (units, fraction.reduce(1) { scale, _ in scale * 10 })
    }

    private static func exponent(_ suffix: String) -> UInt64? {
        guard let first = suffix.first, first == "e" || first == "E",
            let power = Int(suffix.dropFirst()), (0...18).contains(power)
        else { return nil }
        return (0..<power).reduce(1) { value, _ in value * 10 }
    }
}
