import Primitives

/// The names of a hosts file (`hosts(5)`), lower case, each with all the addresses that its lines
/// give it. A value.
struct HostsFile: Hashable, Sendable {
    private var addresses: [String: [IPAddress]] = [:]

    init() {}

    /// Lines that are not understood are skipped, as the C library does.
    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            // An address with a zone (`fe80::1%eth0`) is none that a connection can be made to
            // without saying where.
            guard let first = fields.first, let address = IPAddress(first) else { continue }
            for name in fields.dropFirst() {
                addresses[name.lowercased(), default: []].append(address)
            }
        }
    }

    /// - Parameter name: without a dot at its end, lower case.
    func addresses(of name: String) -> [IPAddress] {
        if let found = addresses[name] { return found }
        // Never asked of a server (RFC 6761 §6.3).
        if name == "localhost" || name.hasSuffix(".localhost") {
            return [.loopbackIPv4, .loopbackIPv6]
        }
        return []
    }
}
