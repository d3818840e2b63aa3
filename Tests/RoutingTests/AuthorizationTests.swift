import Primitives
import Testing

@testable import Routing

@Suite("Authorization")
struct AuthorizationTests {
    @Test(
        "a block has the addresses that begin with its bits, IPv4 however it was written",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("10.0.0.0/8", "::ffff:11.1.2.3", false),
            ("10.0.0.0/8", "::10.1.2.3", false), ("10.1.2.3/8", "10.9.9.9", true),
            ("10.0.0.1", "10.0.0.1", true), ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.0/31", "10.0.0.1", true), ("10.0.0.0/31", "10.0.0.2", false),
            ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "fd00::1", false),
            ("0.0.0.0/0", "::ffff:1.2.3.4", true), ("128.0.0.0/1", "127.0.0.1", false),
            ("128.0.0.0/1", "255.0.0.1", true), ("::/0", "1.2.3.4", true),
            ("::/0", "fd00::1", true),
            ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false),
            ("fd00::/64", "fd00::ffff:0:0:1", true), ("fd00::/64", "fd00:0:0:1::", false),
            ("fd00::/65", "fd00::8000:0:0:0", false), ("fd00::/65", "fd00::7000:0:0:0", true),
            ("fd00::1/128", "fd00::1", true), ("fd00::1/128", "fd00::2", false),
            ("::ffff:10.0.0.0/104", "10.1.1.1", true), ("::ffff:10.0.0.0/104", "11.1.1.1", false),
            ("::ffff:0:0/96", "1.2.3.4", true), ("::ffff:0:0/96", "fd00::1", false),
            ("::/8", "1.2.3.4", false), ("::/8", "::ffff:1.2.3.4", false), ("::/8", "::1", true),
            ("::/1", "1.2.3.4", false),
        ])
    func block(range: String, client: String, contains: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try #require(IPAddress(client))) == contains)
    }

    @Test("every prefix length divides at its own bit", arguments: [true, false])
    func lengths(isIPv4: Bool) throws {
        let text = isIPv4 ? "170.85.170.85" : "aaaa:5555:aaaa:5555:aaaa:5555:aaaa:5555"
        let address = try #require(IPAddress(text))
        let bitsMax = isIPv4 ? 32 : 128
        for bits in 0...bitsMax {
            let range = try #require(AddressRange("\(text)/\(bits)"))
            #expect(range.contains(address))
            for flipped in 0..<bitsMax {
                let place = bitsMax - 1 - flipped
                let other =
                    isIPv4
                    ? IPAddress(v4: address.v4 ^ 1 << UInt32(place))
                    : IPAddress(
                        v6High: place >= 64 ? address.high ^ 1 << UInt64(place - 64) : address.high,
                        low: place < 64 ? address.low ^ 1 << UInt64(place) : address.low)
                #expect(range.contains(other) == (flipped >= bits), "/\(bits), bit \(flipped)")
            }
        }
    }

    private static func range(_ text: String) -> AddressRange { AddressRange(text)! }

    private static let plan = AuthorizationPlan(rules: [
        AuthorizationPlan.Rule(name: "one", allows: false, clients: [range("10.0.0.66")]),
        AuthorizationPlan.Rule(
            name: "office", allows: true, clients: [range("fd00::/8"), range("10.0.0.0/8")]),
        AuthorizationPlan.Rule(
            name: "admin", allows: true,
            headers: [
                .init(name: "x-role", values: ["admin", "root"]),
                .init(name: "x-on", values: ["1"]),
            ]),
        AuthorizationPlan.Rule(
            name: "readers", allows: true, clients: [range("11.0.0.0/8")],
            methods: ["GET", "HEAD"]),
    ])

    @Test(
        "the first rule that matches a connection decides, else the default",
        arguments: [
            ("10.0.0.66", false, "one"), ("::ffff:10.0.0.66", false, "one"),
            ("10.0.0.67", true, "office"), ("fd00::1", true, "office"), ("12.0.0.1", false, nil),
            ("11.0.0.1", false, nil), (nil, false, nil),
        ] as [(String?, Bool, String?)])
    func connections(client: String?, isAllowed: Bool, rule: String?) {
        let verdict = Self.plan.decide(client: client.flatMap { IPAddress($0) })
        #expect(verdict.isAllowed == isAllowed)
        #expect(Self.plan.name(of: verdict) == rule)
    }

    @Test(
        "requests are also decided by all headers of a rule, each with one of its values",
        arguments: [
            ("10.0.0.66", "GET", ["x-role: admin", "x-on: 1"], false, "one"),
            ("12.0.0.1", "GET", ["X-Role: admin", "x-on: 1"], true, "admin"),
            ("12.0.0.1", "PUT", ["x-role: root", "X-ON: 1"], true, "admin"),
            ("12.0.0.1", "GET", ["x-role: admin"], false, nil),
            ("12.0.0.1", "GET", ["x-role: user", "x-on: 1"], false, nil),
            ("12.0.0.1", "GET", ["x-role: admin", "x-role: user", "x-on: 1"], false, nil),
            ("11.0.0.1", "GET", [], true, "readers"), ("11.0.0.1", "HEAD", [], true, "readers"),
            ("11.0.0.1", "POST", [], false, nil), ("11.0.0.1", "get", [], false, nil),
            (nil, "GET", ["x-role: root", "x-on: 1"], true, "admin"), (nil, "GET", [], false, nil),
        ] as [(String?, String, [String], Bool, String?)])
    func requests(
        client: String?, method: String, headers: [String], isAllowed: Bool, rule: String?
    ) {
        let request = HTTPRequest(
            method: method, authority: "a",
            headers: headers.map { line in
                let colon = line.firstIndex(of: ":")!
                return (String(line[..<colon]), String(line[colon...].dropFirst(2)))
            })
        let verdict = Self.plan.decide(client: client.flatMap { IPAddress($0) }, head: request)
        #expect(verdict.isAllowed == isAllowed)
        #expect(Self.plan.name(of: verdict) == rule)
    }

    @Test("a plan without rules decides by its default", arguments: [true, false])
    func defaults(allows: Bool) {
        let plan = AuthorizationPlan(allowsByDefault: allows)
        #expect(plan.decide(client: nil) == .init(isAllowed: allows))
        #expect(plan.decide(client: .loopbackIPv4).isAllowed == allows)
        let everybody = AuthorizationPlan(
            rules: [AuthorizationPlan.Rule(name: "", allows: !allows)], allowsByDefault: allows)
        #expect(everybody.decide(client: nil) == .init(isAllowed: !allows, rule: 0))
    }
}
