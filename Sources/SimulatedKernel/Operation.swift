import CLinux
import Kernel
import Primitives

/// An operation in the kernel (a submission queue entry and what became of it). Owned by the
/// kernel from its submission to its last completion.
final class Operation {
    enum Kind {
        case accept(multishot: Bool)
        case connect(UnsafePointer<RawSocketAddress>)
        case receive(group: BufferGroup, multishot: Bool, pollFirst: Bool)
        case receiveMessages(header: UnsafeMutablePointer<msghdr>, group: BufferGroup)
        case sendMessage(UnsafePointer<msghdr>)
        case poll(events: Int32)
        case awaitWakeup
        case cancel(Token)
    }

    enum State {
        /// Not shown to the kernel yet.
        case queued
        /// Waits for its file.
        case armed
        /// Its file has news; it runs when the worker next enters the kernel.
        case woken
        case done
    }

    let kind: Kind
    let token: Token
    /// The number that the worker named, and the file that it then stood for.
    let descriptor: Descriptor
    let file: SimulatedFile?
    var state = State.queued
    var isCancelled = false
    var address = RawSocketAddress()
    var message: OutgoingMessage?

    init(_ kind: Kind, token: Token, descriptor: Descriptor, file: SimulatedFile?) {
        self.kind = kind
        self.token = token
        self.descriptor = descriptor
        self.file = file
    }

    /// What is read of the worker's memory at submission, and not again.
    func copyArguments() {
        switch kind {
        case .connect(let pointer): address = pointer.pointee
        case .sendMessage(let header): message = OutgoingMessage(header.pointee)
        case .accept, .receive, .receiveMessages, .poll, .awaitWakeup, .cancel: break
        }
    }

    /// The events that wake it (`poll(2)`); errors and hang-ups always do.
    var eventsWanted: Int32 {
        switch kind {
        case .accept, .receive, .receiveMessages, .awaitWakeup: POLLIN
        case .connect, .sendMessage: POLLOUT
        case .poll(let events): events
        case .cancel: 0
        }
    }
}

/// A message to send, out of its `msghdr`: the vectors are copied, the bytes stay where they are.
struct OutgoingMessage {
    var destination: SocketAddress?
    var vectors: [UnsafeRawBufferPointer]
    /// Of the `UDP_SEGMENT` control message (`udp(7)`).
    var segmentSize: Int?

    var count: Int { vectors.reduce(0) { $0 + $1.count } }

    init(_ header: msghdr) {
        vectors = (0..<Int(header.msg_iovlen)).map { index in
            let vector = header.msg_iov[index]
            return UnsafeRawBufferPointer(start: vector.iov_base, count: vector.iov_len)
        }
        if let name = header.msg_name, header.msg_namelen > 0 {
            var raw = RawSocketAddress()
            raw.length = header.msg_namelen
            withUnsafeMutableBytes(of: &raw.storage) {
                $0.copyMemory(from: .init(start: name, count: Int(header.msg_namelen)))
            }
            destination = SocketAddress(raw)
        }
        guard header.msg_control != nil, header.msg_controllen > 0 else { return }
        var header = header
        var control = apus_cmsg_first(&header)
        while let entry = control {
            if entry.pointee.cmsg_level == SOL_UDP, entry.pointee.cmsg_type == UDP_SEGMENT {
                segmentSize = Int(apus_cmsg_data(entry).load(as: UInt16.self))
            }
            control = apus_cmsg_next(&header, entry)
        }
    }

    init(_ data: UnsafeRawBufferPointer) {
        vectors = [data]
    }
}

let SOL_UDP: Int32 = 17

extension SocketAddress {
    /// Nil for a family that is none of ours, and for a Unix socket without a name.
    init?(_ raw: RawSocketAddress) {
        if let (address, port) = raw.ip {
            self = .ip(address, port: port)
            return
        }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
        guard raw.family == AF_UNIX, Int(raw.length) > offset else { return nil }
        self = withUnsafeBytes(of: raw.storage) { storage in
            let name = storage[offset..<Int(raw.length)]
            let isAbstract = name.first == 0
            let text = isAbstract ? name.dropFirst() : name.prefix { $0 != 0 }
            return .unix(path: (isAbstract ? "@" : "") + String(decoding: text, as: UTF8.self))
        }
    }

    /// As a socket of `family` reports it: an IPv6 socket maps IPv4 addresses (RFC 3493 §3.7).
    func raw(family: Int32) -> RawSocketAddress {
        if case .ip(let address, let port) = self, address.isIPv4, family == AF_INET6 {
            return RawSocketAddress(IPAddress(v6High: 0, low: address.low), port: port)
        }
        return raw
    }
}
