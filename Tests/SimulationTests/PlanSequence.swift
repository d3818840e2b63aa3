import Engine
import Kernel
import Primitives
import Routing
import SimulatedKernel

/// Plans one after another as the control thread hands them to a worker: what a plan shares with
/// the one before is kept. Owned by one simulation.
final class PlanSequence {
    private struct Place: Hashable {
        let isDatagram: Bool
        let address: SocketAddress
    }

    private let kernel: SimulatedKernel
    private var plan = Plan()
    private var number: UInt64 = 0

    init(kernel: SimulatedKernel) {
        self.kernel = kernel
    }

    private static func places(_ listener: ListenerPlan) -> [Place] {
        var isDatagram = false
        if case .udp = listener.transport { isDatagram = true }
        return listener.addresses.map { Place(isDatagram: isDatagram, address: $0) }
    }

    func next(_ next: Plan, drainDeadline: UInt64) -> WorkerPlan {
        let owned = plan.listeners.enumerated().flatMap { index, listener in
            Self.places(listener).map { (place: $0, listener: index) }
        }
        var continued = Set<Int>()
        let listeners = next.listeners.map { listener in
            var former: Int?
            let sockets = Self.places(listener).map { place in
                guard let kept = owned.firstIndex(where: { $0.place == place }) else {
                    return open(place)
                }
                if former == nil, continued.insert(owned[kept].listener).inserted {
                    former = owned[kept].listener
                }
                return WorkerPlan.Socket.kept(kept)
            }
            return WorkerPlan.Listener(
                former: former, limit: WorkerPlan.limit(of: listener), sockets: sockets,
                table: WorkerPlan.table(of: listener))
        }
        var unused: [ClusterPlan: [Int]] = [:]
        for (index, cluster) in plan.clusters.enumerated() {
            unused[cluster, default: []].append(index)
        }
        let clusters = next.clusters.map { unused[$0]?.popLast() }
        plan = next
        return WorkerPlan(
            plan: next, listeners: listeners, clustersFormer: clusters,
            drainDeadline: drainDeadline)
    }

    private func open(_ place: Place) -> WorkerPlan.Socket {
        number += 1
        let descriptor =
            place.isDatagram ? kernel.bind(on: place.address) : kernel.listen(on: place.address)
        return .opened(descriptor, number: number, isAgain: false)
    }
}
