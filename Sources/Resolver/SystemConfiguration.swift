import Primitives
import Wire

/// The system's resolver configuration (`resolv.conf(5)`): the servers, and how names with few dots
/// are searched for. A value.
public struct SystemConfiguration: Hashable, Sendable {
    public var servers: [SocketAddress] = []
    public var searchDomains: [String] = []
    /// Names with fewer dots are tried with the search domains first.
    public var dotsMin = 1
    public var timeoutMilliseconds = timeoutDefault
    /// How often all servers are asked.
    public var roundsMax = 2
    public var rotates = false
    public var usesTCP = false

    /// The C library waits 5 s and asks twice; a client of ours waits for the name meanwhile.
    public static let timeoutDefault: UInt64 = 2_000
    /// As many as the C library reads (`MAXNS`, `MAXDNSRCH` in older versions).
    static let serversMax = 8
    static let searchDomainsMax = 32

    /// Nobody named: the server of this machine (`resolv.conf(5)`).
    public init() {
        servers = [.ip(.loopbackIPv4, port: 53)]
    }

    /// What is not understood is skipped, as the C library does.
    public init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" && $0 != ";" }
                .split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let keyword = words.first else { continue }
            let values = Array(words.dropFirst())
            switch keyword {
            case "nameserver":
                guard let text = values.first, servers.count < Self.serversMax,
                    let server = LookupSettings.server(text), !servers.contains(server)
                else { continue }
                servers.append(server)
            case "search", "domain":
                // The last line counts.
                searchDomains = Array(values.prefix(Self.searchDomainsMax))
            case "options":
                values.forEach { set(option: $0) }
            default:
                continue
            }
        }
        if servers.isEmpty { servers = [.ip(.loopbackIPv4, port: 53)] }
    }

    private mutating func set(option: String) {
        let parts = option.split(separator: ":", maxSplits: 1)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        switch (parts.first, number) {
        case ("ndots", let number?): dotsMin = min(max(number, 0), 15)
        case ("timeout", let number?):
            timeoutMilliseconds = UInt64(min(max(number, 1), 30)) * 1_000
        case ("attempts", let number?): roundsMax = min(max(number, 1), 5)
        case ("rotate", nil): rotates = true
        case ("use-vc", nil): usesTCP = true
        default: break
        }
    }

    // MARK: - Search

    /// The names to try, in order. A dot at the end makes a name absolute; a name with `dotsMin`
    /// dots and more is tried as it is first, another last (as the C library and c-ares do).
    /// Empty when the text is no domain name.
    func candidates(for name: String) -> [DNSName] {
        guard let plain = DNSName(name) else { return [] }
        guard name.last != ".", !searchDomains.isEmpty else { return [plain] }
        let searched = searchDomains.compactMap(DNSName.init).compactMap(plain.appending)
        return plain.labelCount > dotsMin ? [plain] + searched : searched + [plain]
    }
}
