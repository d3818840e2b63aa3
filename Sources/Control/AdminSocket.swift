import CLinux
import GatewayAPI
import Kernel
import Primitives
import Routing

/// The listening socket of the admin server. Made by the control thread before any worker has a
/// plan, so that what is wrong with the place is an error of the start; the admin server accepts on
/// it. Lives as long as the process.
public struct AdminSocket: Sendable {
    public let descriptor: Descriptor
    /// Where it listens in fact: with the port that the system chose for port 0.
    public let address: SocketAddress
    /// Removed by the control thread at the end.
    let file: UnixSocketFile?

    /// What the admin server holds at most: the socket, its visitors and its wake-ups.
    public static let visitorsMax = 16
    static let descriptorsMax = visitorsMax + 4

    init(on address: SocketAddress) throws(StartFailure) {
        do throws(ListenerFailure) {
            self = try Self.open(address)
        } catch {
            throw StartFailure(
                "the admin server cannot listen on \(address): \(error.reason). Several Apus on "
                    + "one host need a place each: --admin 127.0.0.1:PORT or --admin unix:PATH, "
                    + "or --admin off for none (an ApusConfig's `admin` says the same)")
        }
    }

    private init(_ descriptor: Descriptor, _ address: SocketAddress, _ file: UnixSocketFile?) {
        self.descriptor = descriptor
        self.address = address
        self.file = file
    }

    private static func open(_ address: SocketAddress) throws(ListenerFailure) -> AdminSocket {
        do throws(Errno) {
            let transport = ListenerPlan.Transport.tcp(TCPListenerPlan())
            switch address {
            case .ip(let host, let port):
                var socket = try ListenerSocket(.tcp, host, port, sharesPort: false)
                try socket.prepare(for: transport, .all)
                let bound = try socket.localAddress
                return AdminSocket(socket.take(), bound, nil)
            case .unix(let path):
                guard try UnixSocketFile.isFree(path) else { throw Errno(rawValue: EADDRINUSE) }
                var socket = try ListenerSocket(unixPath: path)
                let file = UnixSocketFile(path)
                do throws(Errno) {
                    try socket.prepare(for: transport, .all)
                } catch {
                    file?.remove()
                    throw error
                }
                return AdminSocket(socket.take(), address, file)
            }
        } catch {
            throw failure(address, error)
        }
    }

    private static func failure(_ address: SocketAddress, _ error: Errno) -> ListenerFailure {
        ListenerFailure(
            listener: "admin", network: .tcp, address: address,
            cause: error.rawValue == ENOTSOCK ? .noSocket : .system(error))
    }
}
