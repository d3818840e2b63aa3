import Manifest
import Routing

extension Fields {
    /// `tcpKeepalive` with the kernel's own bounds: `TCP_KEEPCNT` up to 127, `TCP_KEEPIDLE` and
    /// `TCP_KEEPINTVL` up to 32,767 s (`net/tcp.h`: MAX_TCP_KEEPCNT, MAX_TCP_KEEPIDLE,
    /// MAX_TCP_KEEPINTVL). It counts in whole seconds.
    mutating func keepalive(_ name: String = "tcpKeepalive") -> TCPKeepalive? {
        guard var fields = mapping(name) else { return nil }
        let probes = fields.integer("probes", in: 1...127)
        let idle = fields.seconds("idleTime")
        let interval = fields.seconds("interval")
        fields.finish()
        return TCPKeepalive(
            probes: probes.map { UInt32($0.value) }, idleSeconds: idle, intervalSeconds: interval)
    }

    private mutating func seconds(_ name: String) -> UInt32? {
        guard let duration = duration(name, in: 1_000...32_767_000) else { return nil }
        guard duration.value % 1_000 == 0 else {
            log.error(at: duration.place, path: path(of: name), "must be whole seconds")
            return nil
        }
        return duration.value / 1_000
    }
}
