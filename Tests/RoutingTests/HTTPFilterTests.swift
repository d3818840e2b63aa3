import Testing

@testable import Routing

@Suite("HTTP filters")
struct HTTPFilterTests {
    @Test(
        "a prefix is replaced by whole segments, as the table of HTTPPathModifier says",
        arguments: [
            ("/foo/bar", "/foo", "/xyz", "/xyz/bar"), ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
            ("/foo", "/foo", "/xyz", "/xyz"), ("/foo/", "/foo", "/xyz", "/xyz/"),
            ("/foo/bar", "/foo", "", "/bar"), ("/foo/", "/foo", "", "/"), ("/foo", "/foo", "", "/"),
            ("/foo/", "/foo", "/", "/"), ("/foo", "/foo", "/", "/"),
            ("/foo/bar", "/foo", "/", "/bar"),
            ("/foo", "/foo", "/xyz/", "/xyz"), ("/bar", "", "/xyz", "/xyz/bar"),
            ("/", "", "/xyz", "/xyz/"), ("/", "", "", "/"), ("/foo//bar", "/foo", "/x", "/x//bar"),
            ("/foo%2Fbar", "", "/x", "/x/foo%2Fbar"), ("/foobar", "/foo", "/x", "/foobar"),
        ])
    func prefix(path: String, prefix: String, replacement: String, expected: String) {
        let edited = Array(path.utf8).withUnsafeBytes {
            HTTPFilter.PathEdit.prefix(replacement).apply(to: $0, matched: .prefix(prefix))
        }
        #expect(String(decoding: edited, as: UTF8.self) == expected)
        let unmatched = Array(path.utf8).withUnsafeBytes {
            HTTPFilter.PathEdit.prefix(replacement).apply(to: $0, matched: .exact(path))
        }
        #expect(String(decoding: unmatched, as: UTF8.self) == path)
    }

    @Test(
        "a full path replaces all, and begins with a slash",
        arguments: [("/b", "/b"), ("", "/"), ("b", "/b")])
    func full(replacement: String, expected: String) {
        let edited = Array("/a".utf8).withUnsafeBytes {
            HTTPFilter.PathEdit.full(replacement).apply(to: $0, matched: .exact("/a"))
        }
        #expect(String(decoding: edited, as: UTF8.self) == expected)
    }

    private func location(
        _ redirect: HTTPFilter.Redirect, scheme: String = "http", authority: String? = "a.b:8080",
        target: String = "/x/y?q=1", port: UInt16 = 80
    ) -> String {
        let request = HTTPRequest(authority: authority, target: target)
        return String(
            decoding: redirect.location(
                for: request, scheme: scheme, port: port, matched: .prefix("/x")),
            as: UTF8.self)
    }

    @Test(
        "the port of a redirect is its own, the given scheme's, or the listener's",
        arguments: [
            // Its scheme and port, the request's scheme, the listener's port; what is written.
            (nil, nil, "http", 80, "http://a.b/"), (nil, nil, "https", 443, "https://a.b/"),
            (nil, nil, "http", 8080, "http://a.b:8080/"),
            (nil, nil, "http", 443, "http://a.b:443/"),
            (nil, nil, "https", 80, "https://a.b:80/"),
            ("https", nil, "http", 8080, "https://a.b/"),
            ("http", nil, "https", 8443, "http://a.b/"),
            ("https", 443, "http", 80, "https://a.b/"), ("http", 80, "http", 8080, "http://a.b/"),
            ("https", 80, "http", 80, "https://a.b:80/"), (nil, 80, "http", 8080, "http://a.b/"),
            (nil, 8443, "https", 443, "https://a.b:8443/"), ("ws", nil, "http", 81, "ws://a.b:81/"),
        ] as [(String?, UInt16?, String, UInt16, String)])
    func port(
        scheme: String?, port: UInt16?, requestScheme: String, listener: UInt16, expected: String
    ) {
        let redirect = HTTPFilter.Redirect(scheme: scheme, port: port)
        #expect(
            location(redirect, scheme: requestScheme, target: "/", port: listener) == expected)
    }

    @Test("a redirect keeps what it does not replace")
    func location() {
        #expect(location(HTTPFilter.Redirect()) == "http://a.b/x/y?q=1")
        #expect(location(HTTPFilter.Redirect(host: "c.d")) == "http://c.d/x/y?q=1")
        #expect(location(HTTPFilter.Redirect(path: .full("/z"))) == "http://a.b/z?q=1")
        #expect(location(HTTPFilter.Redirect(path: .full("/z?r"))) == "http://a.b/z?r")
        #expect(location(HTTPFilter.Redirect(path: .prefix("/z"))) == "http://a.b/z/y?q=1")
        let secure = HTTPFilter.Redirect(scheme: "https", host: "c", port: 1, path: .prefix("/"))
        #expect(location(secure) == "https://c:1/y?q=1")
        #expect(location(HTTPFilter.Redirect(), authority: "[::1]:80") == "http://[::1]/x/y?q=1")
    }

    @Test("a rewritten path keeps the query")
    func rewrite() {
        let request = HTTPRequest(authority: "a", target: "/x/y?q=1")
        let moved = HTTPFilter.Rewrite(path: .prefix("/z"))
            .target(for: request, matched: .prefix("/x"))
        #expect(String(decoding: moved, as: UTF8.self) == "/z/y?q=1")
        let kept = HTTPFilter.Rewrite(host: "b").target(for: request, matched: .prefix("/x"))
        #expect(String(decoding: kept, as: UTF8.self) == "/x/y?q=1")
        let bare = HTTPRequest(authority: "a", target: "/x")
        let full = HTTPFilter.Rewrite(path: .full("/w")).target(for: bare, matched: .exact("/x"))
        #expect(String(decoding: full, as: UTF8.self) == "/w")
    }

    @Test("headers are set, then added, then removed, whatever the case of their names")
    func headers() {
        typealias Field = HTTPFilter.HeaderEdit.Field
        func edit(_ edit: HTTPFilter.HeaderEdit, _ lines: [(String, String)]) -> [String] {
            edit.apply(to: lines.map { Field(name: $0.0, value: $0.1) })
                .map { "\($0.name): \($0.value)" }
        }
        let lines = [("A", "1"), ("B", "2"), ("a", "3"), ("C", "4")]
        let field = Field(name: "a", value: "9")
        #expect(edit(.init(set: [field]), lines) == ["a: 9", "B: 2", "C: 4"])
        #expect(edit(.init(set: [field]), [("B", "2")]) == ["B: 2", "a: 9"])
        #expect(edit(.init(add: [field]), [("A", "1")]) == ["A: 1", "a: 9"])
        #expect(edit(.init(remove: ["a", "d"]), lines) == ["B: 2", "C: 4"])
        #expect(edit(.init(set: [field], add: [field]), lines) == ["a: 9", "B: 2", "C: 4", "a: 9"])
        #expect(edit(.init(set: [field], add: [field], remove: ["A"]), lines) == ["B: 2", "C: 4"])
        #expect(edit(.init(), []) == [])
    }
}
