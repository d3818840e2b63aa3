import Primitives
import Testing

@testable import Routing

@Suite("Who a request is from")
struct ClientAddressTests {
    typealias Source = HTTPListenerPlan.ClientAddress

    struct Row: CustomTestStringConvertible {
        let source: Source
        let headers: [(String, String)]
        /// Nil = denied.
        let finding: String?

        init(_ source: Source, _ headers: [(String, String)], _ finding: String?) {
            (self.source, self.headers, self.finding) = (source, headers, finding)
        }

        var testDescription: String { "\(source) \(headers)" }
    }

    private static let trusted: [AddressRange] = ["10.0.0.0/8", "192.0.2.7"].compactMap {
        AddressRange($0)
    }

    private static let table: [Row] = [
        Row(.connection, [("x-forwarded-for", "1.1.1.1")], "10.0.0.1"),
        Row(.forwardedFor(hops: 1), [("X-Forwarded-For", "1.1.1.1, 2.2.2.2")], "2.2.2.2"),
        Row(.forwardedFor(hops: 2), [("x-forwarded-for", "1.1.1.1, 2.2.2.2")], "1.1.1.1"),
        Row(
            .forwardedFor(hops: 2), [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2::2")],
            "1.1.1.1"),
        // Fewer than there must be: somebody else wrote them.
        Row(.forwardedFor(hops: 3), [("x-forwarded-for", "1.1.1.1, 2.2.2.2")], "10.0.0.1"),
        Row(.forwardedFor(hops: 1), [("x-forwarded-for", "1.1.1.1, unknown")], "10.0.0.1"),
        Row(.forwardedFor(hops: 1), [], "10.0.0.1"),
        Row(.forwardedFor(hops: 0), [("x-forwarded-for", "1.1.1.1")], "10.0.0.1"),
        Row(
            .forwardedForTrusting(trusted),
            [("x-forwarded-for", "3.3.3.3, 1.1.1.1,10.2.0.1,192.0.2.7")], "1.1.1.1"),
        Row(.forwardedForTrusting(trusted), [("x-forwarded-for", "10.0.0.9")], "10.0.0.9"),
        Row(.forwardedForTrusting(trusted), [("x-forwarded-for", "1.1.1.1,")], "10.0.0.1"),
        // The connection itself is not from one who is believed.
        Row(
            .forwardedForTrusting([AddressRange("192.0.2.0/24")!]),
            [("x-forwarded-for", "1.1.1.1")], "10.0.0.1"),
        Row(.header("x-real-ip", failsClosed: true), [("X-Real-IP", "1.1.1.1")], "1.1.1.1"),
        Row(.header("x-real-ip", failsClosed: false), [("x-real-ip", "none")], "10.0.0.1"),
        Row(.header("x-real-ip", failsClosed: true), [("x-real-ip", "none")], nil),
        Row(.header("x-real-ip", failsClosed: true), [], nil),
    ]

    @Test("each source is read as it is meant", arguments: table)
    func finding(row: Row) throws {
        let connection = try #require(IPAddress("10.0.0.1"))
        let request = HTTPRequest(
            authority: "a", headers: row.headers.map { (name: $0.0, value: $0.1) })
        let wanted: Source.Finding =
            row.finding == nil ? .denied : .known(row.finding.flatMap { IPAddress($0) })
        #expect(row.source.find(in: request, connection: connection) == wanted)
    }
}
