import Routing
import TLS

/// What checks speak TLS with: one client for each plan of it, and the memory of one step. Owned by
/// the health thread, on which all its sessions live.
final class SecureDesk {
    var records = RecordExchange(outputBytes: 65_536)
    /// Of one record.
    let plaintext = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TLSSession.recordBytesMax, alignment: 16)
    private var clients: [UpstreamTLSPlan: TLSClient] = [:]

    deinit { plaintext.deallocate() }

    /// Forgets those of other plans, with the sessions that could be resumed.
    func keep(_ plans: Set<UpstreamTLSPlan>) {
        clients = clients.filter { plans.contains($0.key) }
    }

    /// - Parameter name: `EndpointPlan.tlsName`.
    /// - Returns: nil = there is no memory, or the plan is no good; endpoints with such a plan are
    ///   not there to be checked.
    func session(_ plan: UpstreamTLSPlan, _ name: String?) -> TLSSession? {
        let client = clients[plan] ?? (try? TLSClient(plan))
        clients[plan] = client
        return client?.connect(endpointName: name, on: records)
    }
}
