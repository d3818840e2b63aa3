/// Durations as the Gateway API writes them (GEP-2257): `^([0-9]{1,5}(h|m|s|ms)){1,4}$`, as in
/// `1h30m` or `500ms`. No sign, no fraction, no other unit.
package enum DurationText {
    /// In the largest unit that is exact enough for a message.
    package static func text(_ milliseconds: UInt32) -> String {
        switch milliseconds {
        case 3_600_000...: "\(milliseconds / 3_600_000)h"
        case 1_000...: "\(milliseconds / 1_000)s"
        default: "\(milliseconds)ms"
        }
    }

    /// Milliseconds, or nil when `text` is no such duration.
    package static func milliseconds(_ text: String) -> UInt64? {
        var bytes = Array(text.utf8)[...]
        var total: UInt64 = 0
        var parts = 0
        while !bytes.isEmpty {
            let digits = bytes.prefix { $0.isDigit }
            guard (1...5).contains(digits.count), parts < 4 else { return nil }
            let number = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
            bytes = bytes.dropFirst(digits.count)
            let unit = bytes.prefix { !$0.isDigit }
            bytes = bytes.dropFirst(unit.count)
            switch String(decoding: unit, as: UTF8.self) {
            case "h": total += number * 3_600_000
            case "m": total += number * 60_000
            case "s": total += number * 1_000
            case "ms": total += number
            default: return nil
            }
            parts += 1
        }
        return parts > 0 ? total : nil
    }
}
