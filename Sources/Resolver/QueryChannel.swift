import CAres
import CLinux
import Primitives
import Wire

/// One c-ares channel, which carries one query at a time: c-ares 1.18 shares a UDP socket among the
/// queries of a channel and closes it after the last, so one query a channel means a new source
/// port for each (RFC 5452 §9.2). It compares the answer's address, number and question, and asks
/// again by TCP when the answer is truncated; whom to ask next is the directory's business. Owned
/// by the resolver's thread.
final class QueryChannel {
    /// A socket that is waited for.
    struct Interest {
        let descriptor: Int32
        let events: Int16
    }

    private let flags: Int32
    private let channel: ares_channel
    private var server: SocketAddress?
    private let timeoutMilliseconds: UInt64
    /// The query under way, by the directory's number.
    private(set) var query: Int?
    /// What came of it, until it is taken.
    private var reply: Directory.Reply?
    /// c-ares takes the EDNS flag off a channel whose server does not know EDNS; the next query may
    /// go to another.
    private var hasLostExtension = false
    /// What to wait for, and until when, as after the last call into c-ares.
    private(set) var interests: [Interest] = []
    private(set) var deadline: UInt64?

    /// Once a process, and by one thread (`ares_library_init(3)`).
    private static let isInitialised: Bool = ares_library_init(1) == 0

    /// - Throws: a number of c-ares, as when there is no memory.
    init(usesTCP: Bool, timeoutMilliseconds: UInt64) throws(ChannelFailure) {
        precondition(Self.isInitialised)
        flags = Self.flags(usesTCP: usesTCP)
        self.timeoutMilliseconds = timeoutMilliseconds
        var options = ares_options()
        options.flags = flags
        options.timeout = Int32(clamping: timeoutMilliseconds)
        options.tries = 1
        options.ndots = 1
        options.ednspsz = Int32(DNSQuery.datagramBytesOrdinary)
        let mask =
            ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS
            | ARES_OPT_EDNSPSZ | ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS
            | ARES_OPT_SORTLIST
        var made: ares_channel?
        // With all of these given it does not read the system's files, which would
        // take a hundred times as long.
        let status = "b".withCString { lookups in
            options.lookups = UnsafeMutablePointer(mutating: lookups)
            return ares_init_options(&made, &options, mask)
        }
        guard status == ARES_SUCCESS, let made else {
            throw ChannelFailure(number: status)
        }
        channel = made
    }

    deinit {
        query = nil
        ares_destroy(channel)
    }

    private static func flags(usesTCP: Bool) -> Int32 {
        // Codes such as SERVFAIL are told as they come, names are not searched for, and an answer
        // that does not fit is asked for by TCP.
        let plain = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_EDNS
        return usesTCP ? plain | ARES_FLAG_USEVC : plain
    }

    /// Whether it can carry this message.
    func suits(_ send: Directory.Send) -> Bool {
        query == nil && !hasLostExtension && flags == Self.flags(usesTCP: send.usesTCP)
            && timeoutMilliseconds == send.timeoutMilliseconds
    }

    // MARK: - A query

    /// Sends; what comes of it is told by `takeReply`, perhaps at once.
    func start(_ send: Directory.Send, now: UInt64) {
        precondition(suits(send))
        defer { look(now: now) }
        query = send.query
        if server != send.server {
            let status = set(send.server)
            guard status == ARES_SUCCESS else {
                reply = .failed(.local(status))
                return
            }
            server = send.server
        }
        // c-ares numbers queries by RC4; the system's generator is the better one.
        let bytes = DNSQuery(id: .random(in: 0...UInt16.max), name: send.name, type: send.type)
            .bytes
        // The channel keeps no reference: it ends, with its queries, before this object does.
        let this = Unmanaged.passUnretained(self).toOpaque()
        ares_send(
            channel, bytes, Int32(bytes.count),
            { this, status, _, message, count in
                guard let this else { preconditionFailure("the argument comes back") }
                let message = UnsafeBufferPointer(start: message, count: Int(count))
                Unmanaged<QueryChannel>.fromOpaque(this).takeUnretainedValue()
                    .finish(status, message)
            }, this)
    }

    private func set(_ server: SocketAddress) -> Int32 {
        guard case .ip(let address, let port) = server else {
            preconditionFailure("a name server has an IP address")
        }
        var node = ares_addr_port_node()
        node.udp_port = Int32(port)
        node.tcp_port = Int32(port)
        if address.isIPv4 {
            node.family = AF_INET
            node.addr.addr4.s_addr = address.v4.bigEndian
        } else {
            node.family = AF_INET6
            withUnsafeMutableBytes(of: &node.addr.addr6) {
                $0.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                $0.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
        }
        return ares_set_servers_ports(channel, &node)
    }

    private func finish(_ status: Int32, _ message: UnsafeBufferPointer<UInt8>) {
        // The channel is being destroyed.
        guard query != nil else { return }
        switch status {
        case ARES_SUCCESS:
            // An answer with no additional record has no OPT among them.
            hasLostExtension = message.count < 12 || message[10] == 0 && message[11] == 0
            reply = .message(Array(message))
        case ARES_ETIMEOUT: reply = .failed(.timedOut)
        case ARES_ECONNREFUSED: reply = .failed(.unreachable)
        default: reply = .failed(.local(status))
        }
    }

    /// The query that is over, and what came of it; nil while it is under way.
    func takeReply() -> (query: Int, reply: Directory.Reply)? {
        guard let query, let reply else { return nil }
        self.query = nil
        self.reply = nil
        return (query, reply)
    }

    // MARK: - Waiting

    /// - Parameter events: what poll(2) said of this descriptor.
    func process(_ descriptor: Int32, _ events: Int16, now: UInt64) {
        let fails = events & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
        let reads = events & Int16(POLLIN) != 0 || fails
        let writes = events & Int16(POLLOUT) != 0
        ares_process_fd(channel, reads ? descriptor : -1, writes ? descriptor : -1)
        look(now: now)
    }

    /// The deadline has passed.
    func expire(now: UInt64) {
        ares_process_fd(channel, -1, -1)
        look(now: now)
    }

    /// Asks c-ares what it waits for: the UDP socket, a TCP connection, a deadline; or nothing.
    private func look(now: UInt64) {
        interests.removeAll(keepingCapacity: true)
        deadline = nil
        guard reply == nil else { return }
        let most = Int(ARES_GETSOCK_MAXNUM)
        withUnsafeTemporaryAllocation(of: ares_socket_t.self, capacity: most) { sockets in
            let bits = ares_getsock(channel, sockets.baseAddress, Int32(most))
            for place in 0..<most {
                let reads = bits >> Int32(place) & 1 != 0
                let writes = bits >> Int32(place + most) & 1 != 0
                guard reads || writes else { continue }
                let events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0)
                interests.append(Interest(descriptor: sockets[place], events: Int16(events)))
            }
        }
        var time = timeval()
        guard ares_timeout(channel, nil, &time) != nil else { return }
        deadline = now + UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_usec + 999) / 1_000
    }
}

/// A channel that could not be made.
struct ChannelFailure: Error {
    /// Of c-ares.
    let number: Int32
}
