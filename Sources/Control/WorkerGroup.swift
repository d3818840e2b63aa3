import Discovery
import Engine
import Kernel
import Primitives

/// All workers of the process, as the control thread sees them.
struct WorkerGroup {
    let handles: [WorkerHandle]
    /// What all of them may use: each probes the same kernel.
    let features: KernelFeatures
    /// Signalled at the end of each worker.
    let endings: Wakeup
    let connectionsMax: Int

    var count: Int { handles.count }

    /// Starts them, each on a processor of its own where there are enough.
    init(
        count: Int, share: DescriptorLimit.Share, features: KernelFeatures, cpus: [Int32],
        quiescence: Quiescence
    ) throws(StartFailure) {
        precondition(count > 0)
        let budget = ConnectionBudget(countMax: share.connectionsMax)
        let settings = WorkerSettings(
            connectionsMax: share.connectionsMax, features: features, pipesMax: share.pipesMax)
        var started: [WorkerHandle] = []
        var common = features
        do {
            let endings = try Wakeup()
            for index in 0..<count {
                let handle = try WorkerHandle(
                    index: index, settings: settings, budget: budget, quiescence: quiescence)
                // More workers than processors would only fight for them if they were pinned.
                let cpu = count <= cpus.count ? Int(cpus[index]) : nil
                let found = try WorkerThread.run(handle, cpu: cpu) { endings.signal() }
                common.formIntersection(found)
                started.append(handle)
            }
            self.endings = endings
        } catch {
            throw StartFailure("worker \(started.count) cannot start: \(error)")
        }
        handles = started
        self.features = common
        connectionsMax = share.connectionsMax
    }

    func publish(_ plans: [WorkerPlan]) {
        precondition(plans.count == count)
        for (handle, plan) in zip(handles, plans) { handle.post(.plan(plan)) }
    }

    /// How many plans all of them have put into effect to the last.
    var plansSettled: UInt64 { handles.map(\.plansSettled).min() ?? 0 }

    func post(_ message: WorkerMessage) {
        for handle in handles { handle.post(message) }
    }

    /// Whether any cut connections off; nil while one still runs.
    var ended: Bool? {
        var cutOff = false
        for handle in handles {
            switch handle.outcome {
            case .running: return nil
            case .drained: break
            case .cutOff: cutOff = true
            }
        }
        return cutOff
    }
}
