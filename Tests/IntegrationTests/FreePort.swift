import Primitives
import Traffic

/// Ports for listeners whose configuration must name one.
enum FreePort {
    /// Below the ports that the kernel gives to outgoing connections, so that none of those is in
    /// the way by the time the listener binds.
    private static let range: ClosedRange<UInt16> = 20_000...32_000

    static func take() throws -> UInt16 {
        var failure: (any Error)?
        for _ in 0..<100 {
            let address = SocketAddress.ip(.loopbackIPv4, port: .random(in: range))
            do {
                _ = try (Socket.listening(on: address), Socket.datagrams(on: address))
                guard case .ip(_, let port) = address else { continue }
                return port
            } catch {
                failure = error
            }
        }
        throw failure ?? ChildProcess.Failure(description: "no free port")
    }
}
