import CLinux
import Engine
import GatewayAPI
import Logging
import Manifest
import Primitives
import Routing

/// A configuration that was read whole and without errors.
struct Loaded {
    /// What this version's engine serves of it.
    let plan: Plan
    let process: ApusConfig?
    let findings: [Finding]
    /// What is understood and not served yet.
    let pending: [Condition]
    /// It has addresses that could not be bound, to be tried again.
    var isIncomplete = false

    static let nothingToServe = StartFailure(
        "the configuration has nothing to listen on: it needs a Gateway with a listener "
            + "of protocol TCP, UDP or TLS")

    init(_ result: Configuration.Result) {
        plan = result.plan
        process = result.process
        findings = result.findings
        pending = result.conditions.filter { $0.reason == "Pending" }
    }
}

/// From changed files to workers with another plan. Whatever is wrong with the files leaves the
/// running plan as it is.
extension ForwarderProcess {
    // MARK: - Watching

    /// Watches the configuration's files, if that was asked for and the kernel lets us.
    static func startWatching(_ flags: RunSettings, _ log: Logger) -> FileWatch? {
        guard flags.watchesConfiguration, !flags.configurationPaths.isEmpty else {
            return nil
        }
        do throws(Errno) {
            var watch = try FileWatch(flags.configurationPaths)
            warn(of: watch.renew(), log)
            return watch
        } catch {
            log.warning(
                """
                changes of the configuration are not followed (inotify: \(error)): raise \
                `sysctl fs.inotify.max_user_instances`, or reload with SIGHUP
                """)
            return nil
        }
    }

    private static func warn(of failures: [FileWatch.Failure], _ log: Logger) {
        for failure in failures {
            let hint =
                failure.error.rawValue == ENOSPC
                ? "raise `sysctl fs.inotify.max_user_watches`" : "\(failure.error)"
            log.warning(
                """
                changes in \(failure.directory) are not followed: \(hint); SIGHUP reloads \
                without
                """)
        }
    }

    // MARK: - Reloading

    /// Reads the files again and gives the workers what they say now.
    mutating func reload() {
        let start = apus_monotonic()
        if let failures = watch?.renew() { Self.warn(of: failures, log) }
        guard let new = read() else {
            return log.error("not reloaded: the running configuration stays as it is")
        }
        take(ProcessSettings(flags, new.process))
        guard new.plan != loaded.plan || loaded.isIncomplete else {
            loaded = new
            return log.debug("configuration unchanged")
        }
        publish(new, start: start)
    }

    /// Nil when the files are not to be run; the log then has why.
    private mutating func read() -> Loaded? {
        let files: [ConfigurationFiles.File]
        do throws(StartFailure) {
            files = try ConfigurationFiles.read(flags.configurationPaths)
        } catch {
            log.error("\(error)")
            return nil
        }
        let result = reader.load(files: files)
        // What was said before is not said again at each change of something else.
        let known = result.hasErrors ? [] : Set(loaded.findings)
        for finding in result.findings where !known.contains(finding) {
            log.log(level: finding.severity == .error ? .error : .warning, "\(finding)")
        }
        guard !result.hasErrors else { return nil }
        let new = Loaded(result)
        guard !new.plan.listeners.isEmpty else {
            log.error("\(Loaded.nothingToServe)")
            return nil
        }
        let pending = Set(loaded.pending)
        for condition in new.pending where !pending.contains(condition) {
            log.warning("\(condition)")
        }
        return new
    }

    /// What can change while the process runs does.
    private mutating func take(_ new: ProcessSettings) {
        let before = Set(settings.unchangeable(from: settingsAtStart))
        for name in new.unchangeable(from: settingsAtStart) where !before.contains(name) {
            log.warning("ApusConfig: \(name) has changed and is taken at the next start")
        }
        settings = new
        log.logLevel = new.logLevel
        lifecycle.drainTimeout = new.drainTimeoutNanoseconds
    }

    private mutating func publish(_ new: Loaded, start: UInt64) {
        if !loaded.isIncomplete,
            let changed = PlanChange.endpointChanges(from: loaded.plan, to: new.plan)
        {
            sockets.replaceEndpoints(with: new.plan, of: changed)
            loaded = new
            reportTLS()
            return report(PlanChange(clustersChanged: changed.count), since: start)
        }
        let former = sockets.plan
        let deadline = apus_monotonic() + settings.drainTimeoutNanoseconds
        let failures = sockets.replace(
            with: new.plan, drainDeadline: deadline, settled: workers.plansSettled)
        loaded = new
        loaded.isIncomplete = !failures.isEmpty
        for failure in failures {
            log.error("\(failure.startFailure); tried again at the next reload")
        }
        reportTLS()
        insight.note(sockets.plan, sockets.addresses)
        let change = PlanChange(from: former, to: sockets.plan)
        awaitVerdicts()
        workers.publish(sockets.workers)
        report(change, since: start)
    }

    private func report(_ change: PlanChange, since start: UInt64) {
        let milliseconds = Self.milliseconds(since: start)
        log.info("configuration reloaded: \(change) milliseconds=\(milliseconds)")
    }
}
