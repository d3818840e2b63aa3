import CLinux
import Discovery
import Engine
import GatewayAPI
import Health
import Kernel
import Logging
import Primitives
import Routing
import Synchronization

/// The process behind `apus run`: boot order, then the control thread's loop of signals, workers'
/// ends and a look at the counters each second. Owned by the command; lives on the main thread.
public struct ForwarderProcess: ~Copyable {
    let flags: RunSettings
    var settings: ProcessSettings
    /// Those at the start; some cannot change after it.
    let settingsAtStart: ProcessSettings
    var log: Logger
    private let signals: SignalQueue
    private let startTime = apus_monotonic()
    private let quickstart: Quickstart?
    var sockets: ListenerSockets
    let workers: WorkerGroup
    let insight: Insight
    /// nil = nobody can look inside.
    private var admin: AdminSocket?
    var lifecycle: Lifecycle
    private var overload = OverloadReport()
    /// nil where changes are not followed: by `--no-watch`, or because the kernel refused.
    var watch: FileWatch?
    var debounce = Debounce()
    var reader: ConfigurationReader
    var loaded: Loaded

    private static let tickMilliseconds: Int32 = 1000

    /// Starts to answer who asks at the socket; what it throws keeps the process from starting.
    public typealias AdminStart = (AdminSocket, Insight) throws(Errno) -> Void

    /// Runs until the workers have ended.
    /// - Parameter startAdmin: the admin server is above this module.
    public static func run(_ flags: RunSettings, startAdmin: AdminStart) -> ExitCode {
        do throws(StartFailure) {
            var process = try boot(flags)
            try process.openAdmin(startAdmin)
            process.begin()
            return process.serve()
        } catch {
            StandardStream.error.write("apus: error: \(error)\n")
            return .failed
        }
    }

    // MARK: - Boot

    /// Everything that can fail is done before the first worker gets the plan.
    private static func boot(_ flags: RunSettings) throws(StartFailure) -> ForwarderProcess {
        var log = LineLogHandler.logger(level: flags.logLevel ?? .info)
        let signals = try signals()
        let paths = flags.configurationPaths
        let quickstart = paths.isEmpty ? try Quickstart(processIdentifier: getpid()) : nil
        // Before the files are read, so that no change of them is missed.
        let watch = startWatching(flags, log)
        let files: [ConfigurationFiles.File]
        if let quickstart {
            files = [quickstart.configuration]
        } else {
            files = try ConfigurationFiles.read(paths)
        }
        var reader = ConfigurationReader()
        let start = apus_monotonic()
        let loaded = try load(files, &reader)
        let milliseconds = Self.milliseconds(since: start)
        let plan = loaded.plan
        let settings = ProcessSettings(flags, loaded.process)
        log.logLevel = settings.logLevel
        log.info(
            """
            configuration read: listeners=\(plan.listeners.count) \
            clusters=\(plan.clusters.count) milliseconds=\(milliseconds)
            """)

        let cpus = allowedProcessors
        let count = settings.workers ?? max(1, cpus.count)
        let limit = try DescriptorLimit.raise()
        let share = try limit.share(
            listeners: plan.listeners.reduce(0) { $0 + $1.addresses.count }, workers: count,
            pipesMax: WorkerSettings.pipesMaxDefault, asked: settings.connectionsMax,
            others: (quickstart == nil ? 0 : Quickstart.descriptorsMax)
                + (settings.admin == .off ? 0 : AdminSocket.descriptorsMax))
        log.info("connectionsMax=\(share.connectionsMax) from \(share.derivation)")

        let features = KernelFeatures.all.subtracting(flags.without)
        let directory = try directory(
            workers: count, zone: settings.zone, checksMax: limit.checksMax)
        directory.onHealthChange { [log] changes in
            for line in HealthLog.lines(changes) { log.log(level: line.level, "\(line.text)") }
        }
        let sockets = try sockets(plan, count, features, directory)
        let workers = try WorkerGroup(
            count: count, share: share, features: features, cpus: cpus,
            quiescence: directory.quiescence)
        directory.onDeparture { [handles = workers.handles] in
            for handle in handles { handle.post(.depart) }
        }
        return ForwarderProcess(
            flags: flags, settings: settings, log: log, signals: signals, quickstart: quickstart,
            sockets: sockets, workers: workers, watch: watch, reader: reader, loaded: loaded)
    }

    /// From here on who asks is told that the process is not ready yet.
    private mutating func openAdmin(_ start: AdminStart) throws(StartFailure) {
        insight.note(sockets.plan, sockets.addresses)
        guard case .at(let address) = settings.admin else { return }
        let socket = try AdminSocket(on: address)
        admin = socket
        do throws(Errno) {
            try start(socket, insight)
        } catch {
            socket.file?.remove()
            throw StartFailure("the admin server cannot start: \(error)")
        }
    }

    private func begin() {
        reportTLS()
        awaitVerdicts()
        workers.publish(sockets.workers)
        insight.state = .live
        announce(loaded.plan)
    }

    private init(
        flags: RunSettings, settings: ProcessSettings, log: Logger,
        signals: consuming SignalQueue, quickstart: Quickstart?,
        sockets: consuming ListenerSockets, workers: WorkerGroup, watch: consuming FileWatch?,
        reader: ConfigurationReader, loaded: Loaded
    ) {
        self.flags = flags
        self.settings = settings
        settingsAtStart = settings
        self.log = log
        self.signals = signals
        self.quickstart = quickstart
        insight = Insight(
            startTime: startTime, workers: workers, directory: sockets.directory,
            settings: settings, configurationPaths: flags.configurationPaths)
        self.sockets = sockets
        self.workers = workers
        self.watch = watch
        self.reader = reader
        self.loaded = loaded
        lifecycle = Lifecycle(drainTimeout: settings.drainTimeoutNanoseconds)
    }

    private static func signals() throws(StartFailure) -> SignalQueue {
        do throws(Errno) {
            return try SignalQueue()
        } catch {
            throw StartFailure("signals cannot be received (signalfd): \(error)")
        }
    }

    /// With the thread that looks after it.
    private static func directory(
        workers: Int, zone: String?, checksMax: Int
    ) throws(StartFailure) -> EndpointDirectory {
        var checks = HealthThread.Settings()
        checks.flyingMax = checksMax
        do throws(Errno) {
            let directory = try EndpointDirectory(workers: workers, zone: zone)
            try EndpointKeeper.start(directory)
            try directory.startResolving()
            try directory.startChecking(checks)
            return directory
        } catch {
            throw StartFailure("endpoints cannot be looked after: \(error)")
        }
    }

    /// For a moment: clients that come meanwhile wait in the sockets' queues, instead of finding no
    /// endpoint, or one that is not well.
    func awaitVerdicts() {
        let count = sockets.directory.awaitVerdicts(
            until: apus_monotonic() + Self.verdictsWaitNanoseconds)
        guard count > 0 else { return }
        log.warning("\(count) names are not resolved yet: their clients find no endpoint")
    }

    private static let verdictsWaitNanoseconds: UInt64 = 2_000_000_000

    private static func sockets(
        _ plan: Plan, _ workers: Int, _ features: KernelFeatures, _ directory: EndpointDirectory
    ) throws(StartFailure) -> ListenerSockets {
        do throws(ListenerFailure) {
            return try ListenerSockets(
                plan: plan, workers: workers, features: features, directory: directory)
        } catch {
            throw error.startFailure
        }
    }

    private static func load(
        _ files: [ConfigurationFiles.File], _ reader: inout ConfigurationReader
    ) throws(StartFailure) -> Loaded {
        let result = reader.load(files: files)
        for finding in result.findings { StandardStream.error.write("\(finding)\n") }
        guard !result.hasErrors else {
            throw StartFailure("the configuration has errors: mend what is listed above")
        }
        let loaded = Loaded(result)
        for condition in loaded.pending { StandardStream.error.write("\(condition)\n") }
        guard !loaded.plan.listeners.isEmpty else { throw Loaded.nothingToServe }
        return loaded
    }

    /// To two decimals.
    static func milliseconds(since start: UInt64) -> Double {
        Double((apus_monotonic() - start) / 10_000) / 100
    }

    private static var allowedProcessors: [Int32] {
        var processors = [Int32](repeating: 0, count: Int(CPU_SETSIZE))
        let count = apus_allowed_cpus(&processors, Int32(processors.count))
        return Array(processors.prefix(Int(count)))
    }

    private func announce(_ plan: Plan) {
        for (listener, addresses) in zip(plan.listeners, sockets.addresses) {
            let kind = listener.network == .tcp ? "TCP" : "UDP"
            let places = addresses.map(\.description).joined(separator: " ")
            let route = listener.isOpaque ? listener.route?.name ?? "no route" : "by name"
            log.info("listening \(kind) \(places) listener=\(listener.name) route=\(route)")
        }
        if let admin { log.info("admin server on \(admin.address)") }
        log.info(
            """
            ready workers=\(workers.count) connectionsMax=\(workers.connectionsMax) \
            kernel=\(KernelRelease.running.text) features=\(workers.features)
            """)
        guard quickstart != nil else { return }
        StandardStream.output.write(Quickstart.instructions(admin: admin?.address))
    }

    // MARK: - The loop

    private mutating func serve() -> ExitCode {
        while true {
            wait()
            while let signal = signals.next() {
                if let code = act(lifecycle.on(.signal(signal), now: apus_monotonic())) {
                    return finish(code)
                }
            }
            if let cutOff = workers.ended {
                reportOverload()
                let event = Lifecycle.Event.ended(cutOff: cutOff)
                if let code = act(lifecycle.on(event, now: apus_monotonic())) {
                    return finish(code)
                }
            }
            if let code = act(lifecycle.on(.tick, now: apus_monotonic())) { return finish(code) }
            followChanges()
            reportOverload()
            sockets.rotateTickets()
        }
    }

    func reportTLS() {
        for failure in sockets.tlsFailures { log.error("\(failure)") }
    }

    /// For a signal, the end of a worker, a change of the configuration, or the next second.
    private func wait() {
        var watched = [
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: workers.endings.descriptor, events: Int16(POLLIN), revents: 0),
            // poll(2) passes over a negative descriptor.
            pollfd(fd: watchDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        var timeout = Self.tickMilliseconds
        if let deadline = debounce.deadline {
            let now = apus_monotonic()
            let left = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
            timeout = min(timeout, Int32(clamping: left))
        }
        // An error can only be EINTR; the loop looks at everything anyway.
        _ = poll(&watched, nfds_t(watched.count), timeout)
        if watched[1].revents != 0 { workers.endings.wait() }
    }

    private var watchDescriptor: Descriptor {
        switch watch {
        case .some(let watch): watch.descriptor
        case .none: -1
        }
    }

    /// Reloads when the files have changed and are quiet again.
    private mutating func followChanges() {
        guard lifecycle.phase == .serving else { return }
        let now = apus_monotonic()
        var action = debounce.on(.tick, now: now)
        if action == .nothing, watch?.takeEvents() == true {
            action = debounce.on(.changed, now: now)
        }
        if action == .reload { reload() }
    }

    private mutating func act(_ action: Lifecycle.Action) -> ExitCode? {
        switch action {
        case .nothing: break
        case .reload:
            _ = debounce.on(.reloaded, now: apus_monotonic())
            if quickstart == nil { reload() }
        case .drain(let deadline):
            insight.state = .draining
            log.info("draining for at most \(settings.drainTimeoutSeconds) s")
            workers.post(.drain(deadline: deadline))
        case .stop:
            log.error("workers did not end at the drain's deadline: told to stop")
            workers.post(.stop)
        case .exit(let code): return code
        }
        return nil
    }

    // MARK: - Counters

    private var statistics: Statistics {
        Statistics(
            workers: workers.handles.map { Statistics.Values($0.counters) },
            connectionsMax: workers.connectionsMax,
            uptimeMilliseconds: (apus_monotonic() - startTime) / 1_000_000)
    }

    private mutating func reportOverload() {
        let sum = statistics.sum
        for line in overload.sentences(sum, connectionsMax: workers.connectionsMax) {
            log.warning("\(line)")
        }
    }

    private mutating func finish(_ code: ExitCode) -> ExitCode {
        let statistics = statistics
        log.info("stats \(statistics.summary)")
        if let path = flags.statisticsPath {
            do throws(StartFailure) {
                try statistics.write(to: path)
            } catch {
                log.error("\(error)")
            }
        }
        sockets.removeFiles()
        admin?.file?.remove()
        switch code {
        case .drained: log.info("every connection ran to its end")
        case .cutOff: log.warning("the drain time-out cut connections off")
        case .interrupted: log.warning("interrupted again: ended at once")
        case .failed: log.error("the workers ended without being told to")
        case .usage: break
        }
        return code
    }
}
