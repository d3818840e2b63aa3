import ArgumentParser
import Control
import GatewayAPI
import Primitives

extension ExplanationReport.Format: ExpressibleByArgument {}

/// `apus explain`.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say where a connection, datagram, name or request goes, and why.",
        discussion: """
            It decides as the data path does. Paths come first, then one question:

              apus explain edge.yaml --listener edge/web
              apus explain edge.yaml --tcp 10.0.0.7:40000 192.0.2.1:8080
              apus explain edge.yaml --request 'GET https://example.com/cart' -H 'x-user: 7'

            Exit codes: 0 it is taken, 1 it is refused or the configuration has errors, 2 wrong \
            command line or unreadable file.
            """)

    @Argument(help: "YAML or JSON files, or directories of them.")
    var paths: [String]

    @Option(help: "Everything that a listener has: its name, or the end of it from a slash on.")
    var listener: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("A TCP connection: [SRC] DST, each address:port.", valueName: "address"))
    var tcp: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("A UDP datagram: [SRC] DST, each address:port.", valueName: "address"))
    var udp: [String] = []

    @Option(
        help: """
            A TLS connection that asks for this name; empty: for none. With --request: over such \
            a connection.
            """)
    var sni: String?

    @Option(help: "With --sni: the port that the connection is to.")
    var port: UInt16?

    @Option(help: "A request, as in 'GET https://host/path'.")
    var request: String?

    @Option(
        name: [.customShort("H"), .customLong("header")], parsing: .singleValue,
        help: ArgumentHelp("With --request: a header.", valueName: "name: value"))
    var headers: [String] = []

    @Option(help: "With --sni or --request: the client's address.")
    var from: String?

    @Option(help: "How to write it: text or json.")
    var output: ExplanationReport.Format = .text

    func validate() throws { _ = try question() }

    func run() throws {
        let result = try LoadedConfiguration.load(paths)
        guard !result.hasErrors else {
            StandardStream.error.write(
                "apus: the configuration has errors and would not be run; see apus check\n")
            throw Ending(code: .failed)
        }
        var explainer = Explainer(result)
        let report = ExplanationReport(explainer.explain(try question()))
        StandardStream.output.write(report.rendered(output))
        throw Ending(code: report.isTaken ? .drained : .failed)
    }

    func question() throws -> Explanation.Question {
        let count =
            [listener != nil, !tcp.isEmpty, !udp.isEmpty, sni != nil || request != nil]
            .count { $0 }
        guard count == 1 else {
            throw ValidationError("Ask one of --listener, --tcp, --udp, --sni and --request.")
        }
        guard port == nil || sni != nil && request == nil else {
            throw ValidationError("--port goes with --sni; a request's URL has its own.")
        }
        guard headers.isEmpty || request != nil else {
            throw ValidationError("-H goes with --request.")
        }
        let client = try from.map { text in
            guard let address = IPAddress(text) else {
                throw ValidationError("--from \(text): write an IP address.")
            }
            return address
        }
        guard client == nil || sni != nil || request != nil else {
            throw ValidationError("--from goes with --sni and --request.")
        }
        if let listener { return .listener(listener) }
        if let request {
            return .request(try asked(request), serverName: sni?.lowercased(), from: client)
        }
        if let sni { return .serverName(sni.lowercased(), port: port, from: client) }
        let isDatagram = tcp.isEmpty
        let places = try (isDatagram ? udp : tcp).map(Self.address)
        guard places.count <= 2, let destination = places.last else {
            throw ValidationError("--tcp and --udp take [SRC] DST, and stand behind the paths.")
        }
        return .arrival(
            from: places.count == 2 ? places[0] : nil, to: destination, isDatagram: isDatagram)
    }

    private func asked(_ text: String) throws -> Explanation.Request {
        let words = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        let headers = try headers.map { line in
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw ValidationError("-H '\(line)': write 'name: value'.")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return Explanation.Request.Header(name: String(line[..<colon]), value: String(value))
        }
        guard (1...2).contains(words.count), let url = words.last,
            let request = Explanation.Request(
                method: words.count == 2 ? words[0] : "GET", url: url, headers: headers)
        else {
            throw ValidationError("--request '\(text)': write 'GET https://host/path'.")
        }
        return request
    }

    /// `192.0.2.1:80`, `[::1]:80`, `unix:/path` or `unix:@name`.
    private static func address(_ text: String) throws -> SocketAddress {
        if text.hasPrefix("unix:"), text.utf8.count > 5 {
            return .unix(path: String(text.dropFirst(5)))
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw ValidationError("\(text): write address:port.") }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(String(host)), address.isIPv4 != isBracketed else {
            throw ValidationError("\(text): write address:port, and IPv6 as [::1]:80.")
        }
        return .ip(address, port: port)
    }
}
