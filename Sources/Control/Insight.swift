import CLinux
import Discovery
import Engine
import GatewayAPI
import Health
import Kernel
import Primitives
import Resolver
import Routing
import Synchronization

/// What may be seen of the running process: shared by the control thread, which says what is in
/// force, and whoever looks, such as the admin server. Looking costs the workers nothing: it reads
/// the words that they write anyway.
public final class Insight: Sendable {
    /// What a load balancer before this process is told. The words are Envoy's.
    public enum State: UInt8, Sendable, CaseIterable {
        /// As Envoy numbers them in `server.state`.
        case live = 0
        case draining = 1
        case initializing = 3

        public var name: String { "\(self)".uppercased() }
    }

    // MARK: Immutable after start
    private let startTime: UInt64
    private let workers: [WorkerHandle]
    private let directory: EndpointDirectory
    private let connectionsMax: Int
    private let settings: ProcessSettings
    private let configurationPaths: [String]

    // MARK: Any thread
    private let stateWord = Atomic<UInt8>(State.initializing.rawValue)
    private let listeners = Mutex<[Snapshot.Listener]>([])

    init(
        startTime: UInt64, workers: WorkerGroup, directory: EndpointDirectory,
        settings: ProcessSettings, configurationPaths: [String]
    ) {
        self.startTime = startTime
        self.workers = workers.handles
        self.directory = directory
        connectionsMax = workers.connectionsMax
        self.settings = settings
        self.configurationPaths = configurationPaths
    }

    // MARK: - Control thread

    public internal(set) var state: State {
        get {
            guard let state = State(rawValue: stateWord.load(ordering: .relaxed)) else {
                fatalError("only states are stored")
            }
            return state
        }
        set { stateWord.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// What listens from now on.
    /// - Parameter addresses: of each listener, as they were bound.
    func note(_ plan: Plan, _ addresses: [[SocketAddress]]) {
        let new = zip(plan.listeners, addresses).map { listener, addresses in
            Snapshot.Listener(
                name: listener.name, isDatagram: listener.network == .udp, addresses: addresses,
                route: listener.route?.name)
        }
        listeners.withLock { $0 = new }
    }

    // MARK: - Whoever looks

    public var snapshot: Snapshot {
        let now = apus_monotonic()
        let values = workers.map { Statistics.Values($0.counters) }.reduce(.init(), +)
        return Snapshot(
            version: Version.text, state: state,
            uptimeMilliseconds: (now - startTime) / 1_000_000, workerCount: workers.count,
            connectionsMax: connectionsMax, totals: values,
            listeners: listeners.withLock { $0 },
            clusters: Snapshot.Cluster.all(directory.allPlanned, now: now), settings: options)
    }

    /// As flags of `apus run` would say them.
    private var options: [(name: String, value: String)] {
        [
            ("config_path", configurationPaths.joined(separator: ",")),
            ("concurrency", "\(workers.count)"), ("connections_max", "\(connectionsMax)"),
            ("drain_time", "\(settings.drainTimeoutSeconds)s"), ("admin", "\(settings.admin)"),
            ("log_level", settings.logLevel.rawValue), ("service_zone", settings.zone ?? ""),
        ]
    }

    /// What is known of every name; nil when the resolver's thread does not answer in time.
    public func names(waitMilliseconds: Int32) throws(Errno) -> ResolverReport? {
        let answer = try Letterbox<ResolverReport>()
        directory.reportNames { answer.put($0) }
        return answer.take(waitMilliseconds: waitMilliseconds)
    }

    /// What checks have found; nil when their thread does not answer in time.
    public func checks(waitMilliseconds: Int32) throws(Errno) -> HealthReport? {
        let answer = try Letterbox<HealthReport>()
        directory.reportChecks { answer.put($0) }
        return answer.take(waitMilliseconds: waitMilliseconds)
    }
}

/// Where one thread leaves one thing for another, which waits for it. Shared by both.
private final class Letterbox<Value: Sendable>: Sendable {
    private let bell: Wakeup
    private let value = Mutex<Value?>(nil)

    init() throws(Errno) {
        bell = try Wakeup()
    }

    func put(_ new: Value) {
        value.withLock { $0 = new }
        bell.signal()
    }

    func take(waitMilliseconds: Int32) -> Value? {
        var event = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        let deadline = apus_monotonic() + UInt64(waitMilliseconds) * 1_000_000
        while true {
            let now = apus_monotonic()
            guard now < deadline else { break }
            // An error can only be EINTR; then there is time left.
            if poll(&event, 1, Int32((deadline - now) / 1_000_000 + 1)) > 0 { break }
        }
        return value.withLock { $0 }
    }
}
