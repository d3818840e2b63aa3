import CLinux
import Primitives

extension Socket {
    private static let noSignal = Int32(MSG_NOSIGNAL)

    // MARK: Streams

    /// Whether the kernel takes more within the time. It says so only while a third of the send
    /// buffer is free (`sk_stream_is_writeable`), so that a small write after it does not wait.
    func awaitRoom(milliseconds: Int32) throws -> Bool {
        var event = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&event, 1, milliseconds) == 1
    }

    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let count = try Self.check(
                apus_send(descriptor, base, rest.count, Self.noSignal), "send")
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    public func write(_ bytes: some Sequence<UInt8>) throws {
        try Array(bytes).withUnsafeBytes { try write($0) }
    }

    public func write(_ text: String) throws {
        try write(text.utf8)
    }

    /// Bytes read, 0 at the end of the stream.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let result = apus_recv(descriptor, buffer.baseAddress!, buffer.count, 0)
            // A receive time-out makes recv(2) end at a signal, SA_RESTART or not (signal(7)).
            if result != -Int(EINTR) { return try Self.check(result, "recv") }
        }
    }

    public func read(max: Int = 65_536) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
            count = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Exactly so many bytes, or fewer when the stream ends before.
    public func read(exactly count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try read(max: count - bytes.count)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    public func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more = try read()
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    /// Up to and without the next newline, byte by byte so that nothing after it is taken.
    public func readLine() throws -> String {
        var bytes: [UInt8] = []
        while let byte = try read(max: 1).first, byte != UInt8(ascii: "\n") { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Datagrams

    public func send(_ datagram: [UInt8]) throws {
        try Self.check(
            datagram.withUnsafeBytes {
                // A send of nothing still needs a place to point to.
                apus_send(
                    descriptor, $0.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!, $0.count,
                    Self.noSignal)
            }, "send of a datagram")
    }

    public func send(_ datagram: [UInt8], to address: RawSocketAddress) throws {
        var address = address
        try Self.check(
            datagram.withUnsafeBytes { bytes in
                withUnsafeMutablePointer(to: &address.storage) { name in
                    var vector = iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress),
                        iov_len: bytes.count)
                    return withUnsafeMutablePointer(to: &vector) { vector in
                        var message = msghdr()
                        message.msg_name = UnsafeMutableRawPointer(name)
                        message.msg_namelen = address.length
                        message.msg_iov = vector
                        message.msg_iovlen = 1
                        return apus_sendmsg(descriptor, &message, Self.noSignal)
                    }
                }
            }, "sendmsg of a datagram")
    }

    public func receive() throws -> [UInt8] {
        try read(max: 65_536)
    }

    public func receiveWithSource() throws -> (datagram: [UInt8], source: RawSocketAddress) {
        var source = RawSocketAddress()
        source.length = RawSocketAddress.capacity
        let datagram = try [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
            var length = socklen_t(0)
            let result = withUnsafeMutablePointer(to: &source.storage) { name in
                withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_name = UnsafeMutableRawPointer(name)
                    message.msg_namelen = RawSocketAddress.capacity
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    let result = apus_recvmsg(descriptor, &message, 0)
                    length = message.msg_namelen
                    return result
                }
            }
            count = try Self.check(result, "recvmsg")
            source.length = length
        }
        return (datagram, source)
    }
}
