import Manifest
import Routing

/// What a policy says that no schema refuses and nobody can do: a condition `Invalid`.
struct PolicyFault: Error {
    let place: SourcePlace
    let path: String
    let message: String

    init(_ fields: Fields, _ name: String, _ message: String) {
        place = fields.node(name)?.place ?? fields.place
        path = fields.path(of: name)
        self.message = message
    }
}

extension Fields {
    /// A quantity of whole bytes that fits 32 bits.
    func bytes(_ name: String) throws(PolicyFault) -> UInt32? {
        guard let text = text(name) else { return nil }
        guard let bytes = Quantity.bytes(text.value) else {
            throw PolicyFault(
                self, name, "\(text.value) is no whole number of bytes; write one like 32Ki")
        }
        guard let fitting = UInt32(exactly: bytes) else {
            throw PolicyFault(self, name, "\(text.value) is more than \(UInt32.max) bytes")
        }
        return fitting
    }

    /// `tcpKeepalive`, within the kernel's own bounds (`net/tcp.h`: MAX_TCP_KEEPCNT,
    /// MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL). It counts in whole seconds.
    func keepalive() throws(PolicyFault) -> TCPKeepalive? {
        guard let fields = mapping("tcpKeepalive") else { return nil }
        var keepalive = TCPKeepalive()
        if let probes: Located<UInt32> = fields.number("probes") {
            guard (1...127).contains(probes.value) else {
                throw PolicyFault(fields, "probes", "\(probes.value) is outside 1 to 127")
            }
            keepalive.probes = probes.value
        }
        keepalive.idleSeconds = try fields.keepaliveSeconds("idleTime")
        keepalive.intervalSeconds = try fields.keepaliveSeconds("interval")
        return keepalive
    }

    private func keepaliveSeconds(_ name: String) throws(PolicyFault) -> UInt32? {
        guard let duration = duration(name) else { return nil }
        guard duration.value % 1_000 == 0 else {
            throw PolicyFault(self, name, "must be whole seconds")
        }
        guard (1_000...32_767_000).contains(duration.value) else {
            throw PolicyFault(self, name, "is outside 1s to 9h")
        }
        return duration.value / 1_000
    }

    /// A duration of more than nothing, where nothing would mean never.
    func positiveDuration(_ name: String) throws(PolicyFault) -> UInt32? {
        guard let duration = duration(name) else { return nil }
        guard duration.value > 0 else { throw PolicyFault(self, name, "must be more than 0") }
        return duration.value
    }
}
