import CLinux
import Kernel

/// Everything that a worker's datagrams share: buffers, the pending batch, and the headers that
/// receive operations refer to as long as they live. Owned by one worker.
struct DatagramDesk: ~Copyable {
    /// Room for a name (`sockaddr_in6`) and for the control messages UDP_GRO and IPV6_PKTINFO.
    static let nameBytes = MemoryLayout<sockaddr_in6>.size
    static let controlBytes = 64
    /// A whole datagram of any size with its head.
    static let bufferBytes = 65_536 + 256
    static let buffersMax = 512
    static let entries = 256

    var buffers: BufferPool
    var posting = BufferPosting(entries: entries)
    var batch = DatagramBatch()
    /// The buffer group exists: there is a UDP listener.
    var isOpen = false
    let listenerHeader: UnsafeMutablePointer<msghdr>
    let flowHeader: UnsafeMutablePointer<msghdr>
    /// For control messages of one send.
    let control: UnsafeMutableRawPointer

    init() {
        buffers = BufferPool(
            group: BufferSize.datagramGroup, count: Self.buffersMax, size: Self.bufferBytes)
        listenerHeader = .allocate(capacity: 1)
        listenerHeader.initialize(to: msghdr())
        listenerHeader.pointee.msg_namelen = UInt32(Self.nameBytes)
        listenerHeader.pointee.msg_controllen = Self.controlBytes
        flowHeader = .allocate(capacity: 1)
        flowHeader.initialize(to: msghdr())
        flowHeader.pointee.msg_controllen = Self.controlBytes
        control = .allocate(byteCount: 128, alignment: 8)
    }

    deinit {
        listenerHeader.deallocate()
        flowHeader.deallocate()
        control.deallocate()
    }
}
