import Manifest
import Routing

extension Fields {
    /// `tcpKeepalive`. Durations are whole seconds, rounded up.
    var keepalive: TCPKeepalive? {
        mapping("tcpKeepalive").map { fields in
            func seconds(_ name: String) -> UInt32? {
                fields.duration(name).map { max(1, ($0.value + 999) / 1000) }
            }
            return TCPKeepalive(
                probes: fields.number("probes")?.value, idleSeconds: seconds("idleTime"),
                intervalSeconds: seconds("interval"))
        }
    }
}
