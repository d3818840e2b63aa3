import Primitives

/// Connections to endpoints that wait for the next exchange, found by their endpoint's number: a
/// hash table whose chains run through the slots' own peers, the latest first, because the latest
/// is the least likely to have been closed meanwhile. Owned by one worker.
struct IdleConnections: ~Copyable {
    private let buckets: UnsafeMutablePointer<UInt32>
    private let mask: UInt32
    private(set) var count = 0

    /// - Parameter countMax: connections that there can be.
    init(countMax: Int) {
        var size = 64
        while size < countMax && size < 65_536 { size *= 2 }
        mask = UInt32(size - 1)
        buckets = .allocate(capacity: size)
        buckets.initialize(repeating: HTTPPeer.none, count: size)
    }

    deinit { buckets.deallocate() }

    private func bucket(_ endpoint: UInt32) -> UnsafeMutablePointer<UInt32> {
        // Fibonacci hashing: numbers are given in a row.
        buckets + Int((endpoint &* 0x9e37_79b1) >> 8 & mask)
    }

    /// The first of the chain in which those of the endpoint are.
    func first(_ endpoint: UInt32) -> UInt32 { bucket(endpoint).pointee }

    mutating func insert(
        _ index: UInt32, endpoint: UInt32, in peers: UnsafeMutablePointer<HTTPPeer>
    ) {
        let peer = peers + Int(index)
        assert(!peer.pointee.isIdle, "a connection is idle once")
        let head = bucket(endpoint)
        peer.pointee.isIdle = true
        peer.pointee.previous = HTTPPeer.none
        peer.pointee.next = head.pointee
        if head.pointee != HTTPPeer.none { (peers + Int(head.pointee)).pointee.previous = index }
        head.pointee = index
        count += 1
    }

    mutating func remove(
        _ index: UInt32, endpoint: UInt32, in peers: UnsafeMutablePointer<HTTPPeer>
    ) {
        let peer = peers + Int(index)
        assert(peer.pointee.isIdle, "only who is idle is taken")
        let (next, previous) = (peer.pointee.next, peer.pointee.previous)
        if previous == HTTPPeer.none {
            bucket(endpoint).pointee = next
        } else {
            (peers + Int(previous)).pointee.next = next
        }
        if next != HTTPPeer.none { (peers + Int(next)).pointee.previous = previous }
        peer.pointee.isIdle = false
        count -= 1
    }
}
