import Control
import Primitives
import Testing

@testable import Admin

@Suite("Pages of the admin server")
struct PagesTests {
    @Test("are there under every path that the help names, and none changes anything")
    func all() {
        let help = Looks.get("/help").body
        #expect(Looks.get("/").body == help)
        for page in Pages.Page.allCases {
            #expect(help.contains("  \(page.rawValue): "))
            let response = Looks.get(page.rawValue)
            // The resolver of these tests does not answer.
            #expect(response.status == (page == .dns ? .unavailable : .ok), "\(page)")
            #expect(!response.body.isEmpty)
        }
    }

    @Test("that are not there are answered with those that are")
    func unknown() {
        for path in ["/nope", "*", "//x", "/Ready", "/stats/x", "/quitquitquit"] {
            let response = Looks.get(path)
            #expect(response.status == .notFound)
            #expect(response.body.contains("/stats/prometheus"))
        }
        let odd = Looks.get("/%0d%0aSet-Cookie:%20a" + String(repeating: "x", count: 200))
        #expect(odd.body.hasPrefix("there is no /?Set-Cookie: axx"))
        #expect(odd.body.contains("xx…; there are:\n"))
    }

    @Test("are only got", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "get", "CONNECT"])
    func methods(method: String) {
        let response = Looks.pages().answer(
            RequestHead(method: method, target: "/ready", host: "localhost"), local: nil)
        #expect(response.status == .methodNotAllowed)
        let text = String(decoding: response.bytes(hasBody: true), as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(text.contains("\r\nAllow: GET, HEAD\r\n"))
    }

    @Test("are kept from web pages of foreign names, whatever is asked")
    func foreign() {
        for method in ["GET", "POST"] {
            let response = Looks.pages().answer(
                RequestHead(method: method, target: "/nope", host: "evil.test:19000"), local: nil)
            #expect(response.status == .misdirected)
            #expect(response.body.contains("evil.test"))
        }
    }

    private static func bytes(_ text: String) -> String? {
        Looks.pages().answer(Array(text.utf8), local: nil)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("come with their length, and for HEAD without themselves")
    func head() throws {
        let got = try #require(Self.bytes("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        #expect(
            got == """
                HTTP/1.1 200 OK\r
                Content-Type: text/plain; charset=UTF-8\r
                Content-Length: 5\r
                Cache-Control: no-cache, max-age=0\r
                X-Content-Type-Options: nosniff\r
                Connection: close\r
                \r
                LIVE

                """)
        let head = try #require(Self.bytes("HEAD /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        #expect(head + "LIVE\n" == got)
    }

    @Test(
        "are refused to what is no request",
        arguments: [
            ("hello\r\n", "400"), ("GET / HTTP/1.1\r\n\r\n", "400"), ("GET / HTTP/3\r\n", "505"),
            (String(repeating: "a", count: RequestHead.bytesMax), "431"),
        ])
    func faults(text: String, status: String) throws {
        #expect(try #require(Self.bytes(text)).hasPrefix("HTTP/1.1 \(status) "))
        #expect(Self.bytes("GET / HTTP/1.1\r\n") == nil)
    }

    @Test("say in one word whether the process is ready")
    func ready() {
        let answers = Insight.State.allCases.map { state in
            Looks.get("/ready", Looks.pages(Looks.snapshot(state: state)))
        }
        #expect(answers.map(\.body) == ["LIVE\n", "DRAINING\n", "INITIALIZING\n"])
        #expect(answers.map(\.status) == [.ok, .unavailable, .unavailable])
    }

    @Test("have the formats that they name, and tell them")
    func formats() {
        for page in Pages.Page.allCases where page.parameters.contains(where: { $0.0 == "format" })
        {
            let response = Looks.get(page.rawValue + "?format=xml")
            #expect(response.status == .badRequest)
            #expect(response.body.hasPrefix("usage: \(page.rawValue)?format=("))
            guard page != .dns else { continue }
            let json = Looks.get(page.rawValue + "?format=json")
            #expect(json.contentType == "application/json")
            #expect(json.body.hasPrefix("{"))
        }
        #expect(Looks.get("/stats?format=prometheus") == Looks.get("/stats/prometheus"))
    }

    @Test("of statistics are filtered by name and by use")
    func filters() {
        let filtered = Looks.get("/stats?filter=%5Eserver%5C.(live|state)$").body
        #expect(filtered == "server.live: 1\nserver.state: 0\n")
        #expect(Looks.get("/stats?usedonly&filter=server.(live|state)").body == "server.live: 1\n")
        #expect(Looks.get("/stats?filter=").body == Looks.get("/stats").body)
        let wrong = Looks.get("/stats?filter=(")
        #expect(wrong.status == .badRequest)
        #expect(wrong.body.hasPrefix("no regular expression: "))
    }

    @Test("of endpoints are of those clusters that have a text in their names")
    func part() {
        #expect(Looks.get("/endpoints?cluster=shop/cart").body.contains("127.0.0.1:1"))
        #expect(Looks.get("/endpoints?cluster=nope").body == "no cluster has that in its name\n")
    }

    @Test("of listeners and of the server are in Envoy's shapes")
    func shapes() {
        #expect(
            Looks.get("/listeners").body == """
                shop/edge/tcp::127.0.0.1:80
                shop/edge/tcp::/run/l
                shop/edge/udp::127.0.0.1:53

                """)
        let listeners = Looks.get("/listeners?format=json").body.filter { !$0.isWhitespace }
        #expect(
            listeners == """
                {"listener_statuses":[{"name":"shop/edge/tcp","local_address":{"socket_address":\
                {"address":"127.0.0.1","port_value":80}},"additional_local_addresses":[{"pipe":\
                {"path":"/run/l"}}]},{"name":"shop/edge/udp","local_address":{"socket_address":\
                {"protocol":"UDP","address":"127.0.0.1","port_value":53}}}]}
                """)
        let info = Looks.get("/server_info").body.filter { !$0.isWhitespace }
        #expect(
            info == """
                {"version":"1.2/Apus","state":"LIVE","uptime_current_epoch":"61s",\
                "uptime_all_epochs":"61s","hot_restart_version":"disabled",\
                "command_line_options":{"concurrency":4,"log_level":"info"},\
                "node":{"user_agent_name":"apus"}}
                """)
    }
}
