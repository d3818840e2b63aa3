import CLinux
import Engine
import GatewayAPI
import Logging
import Manifest
import Primitives
import Routing

/// A configuration that was read whole and without errors.
struct Loaded {
    let plan: Plan
    let findings: [Finding]
    /// It has addresses that could not be bound, to be tried again.
    var isIncomplete = false

    static let nothingToServe = StartFailure(
        "the configuration has nothing to listen on: it needs a Gateway with a listener "
            + "of protocol TCP or UDP")

    init(plan: Plan, findings: [Finding]) {
        self.plan = plan
        self.findings = findings
    }
}

/// From changed files to workers with another plan. Whatever is wrong with the files leaves the
/// running plan as it is.
extension ForwarderProcess {
    // MARK: - Watching

    /// Watches the configuration's files, if that was asked for and the kernel lets us.
    static func startWatching(_ settings: RunSettings, _ log: Logger) -> FileWatch? {
        guard settings.watchesConfiguration, !settings.configurationPaths.isEmpty else {
            return nil
        }
        do throws(Errno) {
            var watch = try FileWatch(settings.configurationPaths)
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
        guard new.plan != loaded.plan || loaded.isIncomplete else {
            loaded = Loaded(plan: loaded.plan, findings: new.findings)
            return log.debug("configuration unchanged")
        }
        publish(new, start: start)
    }

    /// Nil when the files are not to be run; the log then has why.
    private func read() -> Loaded? {
        let files: [ConfigurationFiles.File]
        do throws(StartFailure) {
            files = try ConfigurationFiles.read(settings.configurationPaths)
        } catch {
            log.error("\(error)")
            return nil
        }
        let result = Configuration.load(files: files)
        // What was said before is not said again at each change of something else.
        let known = result.hasErrors ? [] : Set(loaded.findings)
        for finding in result.findings where !known.contains(finding) {
            log.log(level: finding.severity == .error ? .error : .warning, "\(finding)")
        }
        guard !result.hasErrors else { return nil }
        let plan = result.plan.served
        guard !plan.listeners.isEmpty else {
            log.error("\(Loaded.nothingToServe)")
            return nil
        }
        return Loaded(plan: plan, findings: result.findings)
    }

    private mutating func publish(_ new: Loaded, start: UInt64) {
        let former = sockets.plan
        let deadline = apus_monotonic() + settings.drainTimeoutNanoseconds
        let failures = sockets.replace(
            with: new.plan, drainDeadline: deadline, settled: workers.plansSettled)
        loaded = new
        loaded.isIncomplete = !failures.isEmpty
        for failure in failures {
            log.error("\(failure.startFailure); tried again at the next reload")
        }
        let change = PlanChange(from: former, to: sockets.plan)
        workers.publish(sockets.workers)
        let milliseconds = Double((apus_monotonic() - start) / 10_000) / 100
        log.info("configuration reloaded: \(change) milliseconds=\(milliseconds)")
    }
}
