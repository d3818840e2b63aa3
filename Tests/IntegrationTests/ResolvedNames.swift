import Primitives
import Resolver
import Routing
import Synchronization
import Traffic

/// A resolver of a test, with what it published so far.
final class ResolvedNames: Sendable {
    private final class Known: Sendable {
        let answers = Mutex<[Lookup: [Resolution]]>([:])
    }

    let resolver: ResolverThread
    private let known = Known()
    private let folder: TemporaryFolder?

    /// - Parameters:
    ///   - configuration: the text of `resolv.conf`.
    ///   - hosts: the text of `/etc/hosts`.
    init(
        configuration: String = "", hosts: String = "",
        _ change: (inout ResolverThread.Settings) -> Void = { _ in }
    ) throws {
        let folder = TemporaryFolder()
        self.folder = folder
        var settings = ResolverThread.Settings()
        settings.configurationPath = folder.file("resolv.conf", configuration)
        settings.hostsPath = folder.file("hosts", hosts)
        settings.checkMilliseconds = 20
        settings.timeoutMilliseconds = 300
        change(&settings)
        let known = known
        resolver = try ResolverThread(settings) { changes in
            known.answers.withLock { answers in
                for (lookup, resolution) in changes {
                    answers[lookup, default: []].append(resolution)
                }
            }
        }
    }

    func rewrite(_ file: String, _ text: String) { _ = folder?.file(file, text) }

    /// All that was told of a lookup, in order.
    func history(of lookup: Lookup) -> [Resolution] {
        known.answers.withLock { $0[lookup] ?? [] }
    }

    func addresses(of lookup: Lookup) -> [String]? {
        guard case .addresses(let addresses) = history(of: lookup).last else { return nil }
        return addresses.map(\.description)
    }

    /// Waits until a lookup has these addresses.
    func come(_ lookup: Lookup, to addresses: [String]) -> Bool {
        eventually { self.addresses(of: lookup) == addresses }
    }

    var report: ResolverReport {
        get throws {
            let box = ReportBox()
            resolver.report { made in
                box.report.withLock { $0 = made }
                box.signal.set()
            }
            try box.signal.wait()
            guard let report = box.report.withLock({ $0 }) else {
                throw ChildProcess.Failure(description: "no report")
            }
            return report
        }
    }

    private final class ReportBox: Sendable {
        let report = Mutex<ResolverReport?>(nil)
        let signal = Signal()
    }

    /// The records of one lookup now.
    func records(of lookup: Lookup) throws -> [ResolverReport.Record] {
        try report.names.first { $0.lookup == lookup }?.records ?? []
    }
}

extension Lookup {
    /// A host that is asked of one server or several.
    ///
    /// - Parameter change: to the plan; names are asked for anew at each 100 ms unless it says
    ///   otherwise.
    static func host(
        _ name: String, at servers: SocketAddress...,
        change: (inout DNSPlan) -> Void = { _ in }
    ) -> Lookup {
        Lookup(.host(name), settings(servers, change))
    }

    static func service(_ name: String, at server: SocketAddress) -> Lookup {
        Lookup(.service(name), settings([server]) { _ in })
    }

    private static func settings(
        _ servers: [SocketAddress], _ change: (inout DNSPlan) -> Void
    ) -> LookupSettings {
        var plan = DNSPlan()
        plan.refreshInterval = 100
        plan.respectsTTL = false
        plan.family = .ipv4
        plan.servers = servers.map(\.description)
        change(&plan)
        return LookupSettings(plan)
    }
}
