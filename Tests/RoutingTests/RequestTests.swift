import Testing

@testable import Routing

@Suite("Request heads")
struct RequestTests {
    @Test(
        "the host is the authority without its port",
        arguments: [
            ("a.b", "a.b"), ("a.b:80", "a.b"), ("a:", "a"), ("[::1]", "[::1]"),
            ("[::1]:8080", "[::1]"), ("10.0.0.1:9", "10.0.0.1"), ("8080", "8080"), ("", ""),
            (":80", ""), ("a:b", "a:b"),
        ])
    func host(authority: String, host: String) {
        let request = HTTPRequest(authority: authority)
        #expect(request.host.map { String(decoding: $0, as: UTF8.self) } == host)
        let none = HTTPRequest(authority: nil)
        #expect(none.host == nil)
    }

    @Test(
        "a URL is taken apart",
        arguments: [
            ("http://a", "a", "/", ""), ("https://a:1/b?c=d#e", "a:1", "/b", "c=d"),
            ("http://a?b", "a", "/", "b"), ("http://a/b?c?d", "a", "/b", "c?d"),
            ("http://a/#b", "a", "/", ""), ("http://[::1]/", "[::1]", "/", ""),
        ])
    func url(url: String, authority: String, path: String, query: String) throws {
        guard let request = HTTPRequest(method: "GET", url: url) else {
            Issue.record("\(url) is a URL")
            return
        }
        #expect(request.authority?.elementsEqual(authority.utf8) == true)
        #expect(request.path.elementsEqual(path.utf8))
        #expect(request.query.elementsEqual(query.utf8))
    }

    @Test(
        "what is no URL of HTTP is refused",
        arguments: ["", "a", "/a", "ftp://a", "http://", "http:///a"])
    func noURL(url: String) {
        let isNone = HTTPRequest(method: "GET", url: url) == nil
        #expect(isNone)
    }

    @Test(
        "a header is all its lines, joined by commas; its name is in any case",
        arguments: [
            (["a"], "a", true), (["a"], "b", false), (["a"], "ab", false), (["ab"], "a", false),
            (["a", "b"], "a,b", true), (["a", "b"], "a", false), (["a", "b"], "b", false),
            (["a", "b"], "a,b,", false), (["a,b", "c"], "a,b,c", true), (["", ""], ",", true),
            ([""], "", true), (["a", ""], "a,", true), (["a", "b"], "a;b", false), ([], "", false),
        ])
    func header(lines: [String], value: String, isEqual: Bool) {
        var headers = lines.map { (name: "X-Name", value: $0) }
        headers.insert((name: "X-Nam", value: "a"), at: 0)
        headers.append((name: "x-other", value: "a"))
        let request = HTTPRequest(authority: "a", headers: headers)
        let name = Array("x-name".utf8)
        let found = name.withUnsafeBytes { name in
            Array(value.utf8).withUnsafeBytes { request.hasHeader(name, value: $0) }
        }
        #expect(found == isEqual)
        var joined: String?
        let exists = name.withUnsafeBytes { name in
            request.withHeader(name) {
                joined = String(decoding: $0, as: UTF8.self)
                return true
            }
        }
        #expect(exists == !lines.isEmpty)
        #expect(joined == (lines.isEmpty ? nil : lines.joined(separator: ",")))
    }

    @Test(
        "the first of a parameter counts, after percent-decoding",
        arguments: [
            ("a=1", "a", "1"), ("a=1&a=2", "a", "1"), ("b=1&a=2", "a", "2"), ("a", "a", ""),
            ("a=", "a", ""), ("a=b=c", "a", "b=c"), ("&&a=1", "a", "1"), ("%61=1", "a", "1"),
            ("a=%41%2f%2F", "a", "A//"), ("a=%4", "a", "%4"), ("a=%", "a", "%"),
            ("a=%zz", "a", "%zz"), ("a=b+c", "a", "b+c"), ("a=%2b%26&b", "a", "+&"),
            ("a=%25%34%31", "a", "%41"), ("A=1", "a", nil), ("", "a", nil), ("ab=1", "a", nil),
            ("b=a=1", "a", nil), ("=1", "a", nil),
        ] as [(String, String, String?)])
    func query(query: String, name: String, value: String?) {
        let found = Array(query.utf8).withUnsafeBytes { query in
            Array(name.utf8).withUnsafeBytes { name -> String? in
                guard let found = QueryString(query).first(name) else { return nil }
                let decoded = QueryString.decode(found)
                for other in [decoded, decoded + [0x41], Array(decoded.dropLast())] {
                    let isEqual = other.withUnsafeBytes { QueryString.isEqual(found, decoded: $0) }
                    #expect(isEqual == (other == decoded))
                }
                return String(decoding: decoded, as: UTF8.self)
            }
        }
        #expect(found == value)
    }
}
