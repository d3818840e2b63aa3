import Testing

@testable import Manifest

@Suite("Scalars as YAML 1.1 reads them")
struct ScalarTests {
    @Test(
        "plain words are what Kubernetes takes them for",
        arguments: [
            ("", .null), ("~", .null), ("null", .null), ("Null", .null), ("nULL", .text),
            ("yes", .boolean(true)), ("On", .boolean(true)), ("y", .boolean(true)),
            ("no", .boolean(false)), ("OFF", .boolean(false)), ("yEs", .text),
            ("10", .integer(10)), ("-7", .integer(-7)), ("+7", .integer(7)), ("010", .integer(8)),
            ("0x1F", .integer(31)), ("0b101", .integer(5)), ("0o17", .integer(15)),
            ("1_000", .integer(1_000)), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .real), ("09", .real), ("0", .integer(0)),
            ("-0", .integer(0)), ("-", .text), ("_1", .text), ("0x", .text),
            ("1.5", .real), (".5", .real), ("1.", .real), ("1e3", .real), ("-1.5E-3", .real),
            (".inf", .real), (".nan", .real), (".", .text), ("1e", .text), ("e3", .text),
            ("10.0.0.1", .text), ("fd00::1", .text), ("::1", .text), ("1h30m", .text),
            ("2026-01-01T00:00:00Z", .text), ("2026-01-01", .text), ("api.example.com", .text),
        ] as [(String, Scalar.Kind)])
    func plain(text: String, kind: Scalar.Kind) {
        #expect(Scalar(text, isText: false).kind == kind)
    }

    @Test("quoted ones are strings", arguments: ["no", "10", "", "~", "1.5"])
    func quoted(text: String) {
        #expect(Scalar(text, isText: true).kind == .text)
    }
}
