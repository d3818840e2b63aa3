import CLinux
import Kernel
import Primitives

/// Message headers with their vectors for SENDMSG operations. The kernel copies them when it takes
/// the submission (IORING_FEAT_SUBMIT_STABLE), so all of them are free again after each one.
struct MessageArena: ~Copyable {
    static let vectorsMax = 16
    private static let messagesMax = 64

    private let headers: UnsafeMutablePointer<msghdr>
    private let vectors: UnsafeMutablePointer<iovec>
    private var used = 0

    init() {
        headers = .allocate(capacity: Self.messagesMax)
        headers.initialize(repeating: msghdr(), count: Self.messagesMax)
        vectors = .allocate(capacity: Self.messagesMax * Self.vectorsMax)
        vectors.initialize(repeating: iovec(), count: Self.messagesMax * Self.vectorsMax)
    }

    deinit {
        headers.deallocate()
        vectors.deallocate()
    }

    var isFull: Bool { used == Self.messagesMax }

    mutating func reset() {
        used = 0
    }

    /// A message of the first buffers of a queue.
    mutating func message(
        of queue: BufferQueue, in pool: borrowing BufferPool
    ) -> UnsafeMutablePointer<msghdr> {
        precondition(!isFull && !queue.isEmpty)
        let header = headers + used
        let first = vectors + used * Self.vectorsMax
        used += 1
        let count = min(Int(queue.count), Self.vectorsMax)
        var id = queue.head
        for place in 0..<count {
            let load = pool.load(id).pointee
            first[place].iov_base = pool.address(id) + Int(load.start)
            first[place].iov_len = Int(load.end - load.start)
            id = load.next
        }
        header.pointee = msghdr()
        header.pointee.msg_iov = first
        header.pointee.msg_iovlen = count
        return header
    }
}
