import Testing

@testable import Manifest

@Suite("Suggestions")
struct SuggestionTests {
    private static let names = ["port", "protocol", "proxyProtocol", "name", "namespace", "ip"]

    @Test(
        "the nearest known name is suggested",
        arguments: [
            ("prot", "port"), ("Port", "port"), ("protocl", "protocol"), ("nmae", "name"),
            ("proxyprotocol", "proxyProtocol"), ("namespaces", "namespace"), ("pi", "ip"),
        ])
    func near(written: String, meant: String) {
        #expect(Suggestion.nearest(to: written, among: Self.names) == meant)
    }

    @Test(
        "a name that is far from all is not",
        arguments: ["frobnicate", "x", "", String(repeating: "port", count: 30)])
    func far(written: String) {
        #expect(Suggestion.nearest(to: written, among: Self.names) == nil)
    }
}
