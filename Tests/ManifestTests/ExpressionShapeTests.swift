import Testing

@testable import Manifest

/// One rule of each shape that Gateway API's and Envoy Gateway's CRDs have, with an object that
/// keeps it and one that does not.
@Suite("Rules of the CRDs")
struct ExpressionShapeTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        let rule: String
        let kept: String
        let broken: String

        init(_ rule: String, kept: String, broken: String) {
            self.rule = rule
            self.kept = kept
            self.broken = broken
        }

        var testDescription: String { rule }
    }

    @Test("tell good objects from bad ones", arguments: Self.shapes)
    func verdicts(shape: Shape) throws {
        let rule = try Expression(shape.rule)
        #expect(rule.isTrue(self: try node(shape.kept)) == .isTrue)
        #expect(rule.isTrue(self: try node(shape.broken)) == .isFalse)
    }

    private static let shapes = presence + kinds + loops + texts + sums

    private static let presence = [
        Shape("(has(self.fqdn) || has(self.ip) || has(self.unix))", kept: "{ip: a}", broken: "{}"),
        Shape(
            "self.type == 'File' ? has(self.file) : !has(self.file)",
            kept: "{type: Text}", broken: "{type: Text, file: {}}"),
        Shape(
            "!(has(self.httpStatus) && has(self.grpcStatus))",
            kept: "{httpStatus: 503}", broken: "{httpStatus: 503, grpcStatus: 14}"),
        Shape(
            "!(has(self.sni) && has(self.auto) && self.auto)",
            kept: "{sni: a, auto: false}", broken: "{sni: a, auto: true}"),
        Shape(
            "has(self.a)? (has(self.a.b)?(has(self.a.b.c)? !has(self.a.b.c.d):true):true):true",
            kept: "{a: {b: {c: {e: 1}}}}", broken: "{a: {b: {c: {d: 1}}}}"),
        Shape(
            "!has(self.requestBuffer) || !has(self.upgrade) || self.upgrade.size() == 0",
            kept: "{requestBuffer: 1, upgrade: []}", broken: "{requestBuffer: 1, upgrade: [a]}"),
        Shape(
            "!(has(self.refs) && size(self.refs) > 0 && has(self.known) && self.known != \"\")",
            kept: "{refs: [a], known: ''}", broken: "{refs: [a], known: System}"),
        Shape(
            "has(self.backendRef) || self.backendRefs.size() > 0",
            kept: "{backendRefs: [a]}", broken: "{backendRefs: []}"),
    ]

    private static let kinds = [
        Shape(
            "has(self.targetRef) ? self.targetRef.kind in ['Gateway', 'UDPRoute'] : true ",
            kept: "{targetRef: {kind: UDPRoute}}", broken: "{targetRef: {kind: Service}}"),
        Shape(
            "has(self.refs) ? self.refs.all(ref, ref.group == 'gateway.networking.k8s.io') : true",
            kept: "{refs: [{group: gateway.networking.k8s.io}]}", broken: "{refs: [{group: ''}]}"),
        Shape(
            "self.type == 'Cookie' ? has(self.cookie) : self.group in ['', 'v1']",
            kept: "{type: Header, group: ''}", broken: "{type: Header, group: v2}"),
        Shape(
            "has(self.low) && has(self.high) ? {\"Auto\":0,\"1.0\":1,\"1.3\":4}[self.low]"
                + " <= {\"1.0\":1,\"1.3\":4,\"Auto\":5}[self.high] : true",
            kept: "{low: Auto, high: '1.0'}", broken: "{low: '1.3', high: '1.0'}"),
        Shape("!('*' in self && self.size() > 1)", kept: "['*']", broken: "['*', GET]"),
        Shape("self != 'Replace'", kept: "Merge", broken: "Replace"),
    ]

    private static let loops = [
        Shape(
            "self.all(f, has(f.fqdn)) || !self.exists(f, has(f.fqdn))",
            kept: "[{ip: 1}, {ip: 2}]", broken: "[{ip: 1}, {fqdn: 2}]"),
        Shape(
            "self.exists(e, e == 'A' || e == 'B') == self.exists(e, e == 'C' || e == 'D')",
            kept: "[A, D]", broken: "[A, B]"),
        Shape(
            "self.filter(f, f.type == 'CORS').size() <= 1",
            kept: "[{type: CORS}, {type: URLRewrite}]", broken: "[{type: CORS}, {type: CORS}]"),
        Shape(
            "[has(self.a), has(self.b), has(self.c)].filter(x, x).size() == 1",
            kept: "{b: 1}", broken: "{a: 1, b: 1}"),
        Shape(
            "self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol &&"
                + " (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname :"
                + " !has(l1.hostname) && !has(l2.hostname))))",
            kept: "[{port: 80, protocol: HTTP}, {port: 80, protocol: HTTP, hostname: a.test}]",
            broken: "[{port: 80, protocol: HTTP}, {port: 80, protocol: HTTP}]"),
        Shape(
            "self.all(p1, self.all(p2, p1.name == p2.name && (((!has(p1.__namespace__) ||"
                + " p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == ''))"
                + " || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ =="
                + " p2.__namespace__ )) ? ((!has(p1.section) || p1.section == '') =="
                + " (!has(p2.section) || p2.section == '')) : true))",
            kept: "[{name: a, namespace: b, section: c}, {name: a}]",
            broken: "[{name: a, namespace: b, section: c}, {name: a, namespace: b}]"),
        Shape(
            "(has(self.refs) && self.refs.exists_one(b, (has(b.filters) && b.filters.exists_one(f,"
                + " has(f.path) && f.path.type == 'Prefix')))) ? ((size(self.matches) != 1 ||"
                + " !has(self.matches[0].path)) ? false : true) : true",
            kept: "{refs: [{filters: [{path: {type: Prefix}}]}], matches: [{path: /}]}",
            broken: "{refs: [{filters: [{path: {type: Prefix}}]}], matches: [{}]}"),
    ]

    private static let texts = [
        Shape("size(self) <= 3", kept: "äöü", broken: "äöüß"),
        Shape(
            "(self.type in ['Exact','Prefix']) ? !self.value.contains('/../') : true",
            kept: "{type: Exact, value: /a}", broken: "{type: Exact, value: /../b}"),
        Shape("self.startsWith('/') && !self.endsWith('/..')", kept: "/a", broken: "/a/.."),
        Shape(
            "self.matches(r\"\"\"^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]"
                + "([-a-z0-9]*[a-z0-9])?)*$\"\"\")",
            kept: "'*.example.com'", broken: "'*example.com'"),
        Shape(
            "self.matches(r\"\"\"^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$\"\"\")",
            kept: "Helloworld.Greeter", broken: "helloworld/Greeter"),
        Shape(
            "self.all(h, h.contains('*') ? (h.startsWith('*.') && h.substring(2).matches("
                + "'^([a-z0-9]+(\\\\.[a-z0-9]+)*)$')) : true)",
            kept: "['*.a.b', c]", broken: "['*.a.*']"),
        Shape("self.all(h, !isIP(h))", kept: "[a.test]", broken: "[a.test, 10.0.0.1]"),
        Shape(
            "self.all(key, key.split(\"/\")[0].size() < 6)",
            kept: "{short/a-long-name: b}", broken: "{longer/a: b}"),
        Shape("self.lowerAscii() != 'host'", kept: "Hosts", broken: "HoSt"),
        Shape(
            "!has(self.body) || (has(self.method) && self.method.upperAscii() in ['POST','PUT'])",
            kept: "{body: a, method: put}", broken: "{body: a, method: get}"),
    ]

    private static let sums = [
        Shape("self.end > self.start", kept: "{start: 1, end: 2}", broken: "{start: 2, end: 2}"),
        Shape("duration(self) > duration('0s')", kept: "1ms", broken: "0h"),
        Shape(
            "!(has(self.all) && has(self.one) && duration(self.all) != duration('0s')"
                + " && duration(self.one) > duration(self.all))",
            kept: "{all: 1m, one: 60s}", broken: "{all: 1m, one: 61s}"),
        Shape(
            "(has(self.headers) ? 1 : 0) + (has(self.params) ? 1 : 0) == 1",
            kept: "{params: 1}", broken: "{headers: 1, params: 1}"),
        Shape(
            "(self.size() > 0 ? (has(self[0].matches) ? self[0].matches.size() : 0) : 0)"
                + " + (self.size() > 1 ? self[1].matches.size() : 0) <= 2",
            kept: "[{}, {matches: [a, b]}]", broken: "[{matches: [a]}, {matches: [a, b]}]"),
    ]
}
