import COpenSSL
import Routing

/// Which certificates answer to which names. For each name the first of each kind of key (ECDSA,
/// RSA) stands in one set, so that a client gets the kind that it can verify; names with the same
/// certificates share a set. Control thread only.
struct CertificateSets {
    /// Places of certificates. The first set is for whoever asks for no name, or for one that is
    /// not there: that of the first certificate.
    private(set) var members: [[Int]] = []
    /// From names to places in `members`.
    private(set) var names: NameTable

    init(_ plans: [CertificatePlan], _ identities: [Identity]) {
        var byName: [String: [Int]] = [:]
        var order: [String] = []
        for (place, identity) in identities.enumerated() {
            for name in identity.names(plans[place]) {
                let there = byName[name, default: []]
                if there.isEmpty { order.append(name) }
                if there.contains(where: { identities[$0].kind == identity.kind }) { continue }
                byName[name] = there + [place]
            }
        }
        let first = identities[0].names(plans[0]).first.flatMap { byName[$0] } ?? [0]
        members = [first]
        var entries: [(String, Int)] = []
        for name in order {
            guard let set = byName[name] else { continue }
            if let place = members.firstIndex(of: set) {
                entries.append((name, place))
            } else {
                entries.append((name, members.count))
                members.append(set)
            }
        }
        names = NameTable(entries)
    }
}
