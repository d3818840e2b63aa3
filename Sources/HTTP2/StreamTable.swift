/// The streams of one session, by places that are used again.
struct StreamTable: ~Copyable {
    private var streams: UnsafeMutablePointer<HTTP2Stream>
    private(set) var capacity = 4
    private var firstFree = UInt32.max
    private(set) var count = 0

    init() {
        streams = .allocate(capacity: capacity)
        addFree(from: 0)
    }

    deinit {
        for place in 0..<capacity { (streams + place).pointee.clear(all: true) }
        streams.deallocate()
    }

    /// Good until the next `claim`.
    @inline(__always)
    subscript(place: UInt32) -> UnsafeMutablePointer<HTTP2Stream> {
        assert(place < capacity)
        return streams + Int(place)
    }

    mutating func claim(_ id: Int32, user: UInt32) -> UInt32 {
        if firstFree == UInt32.max { widen() }
        let place = firstFree
        let stream = self[place]
        firstFree = stream.pointee.nextFree
        stream.pointee.id = id
        stream.pointee.user = user
        count += 1
        return place
    }

    /// Its memory is kept for the next one, as far as it is little.
    mutating func free(_ place: UInt32) {
        let stream = self[place]
        guard stream.pointee.id != 0 else { return }
        stream.pointee.clear(all: false)
        let memory = (stream.pointee.outgoing, stream.pointee.capacity)
        stream.pointee = HTTP2Stream()
        (stream.pointee.outgoing, stream.pointee.capacity) = memory
        stream.pointee.nextFree = firstFree
        firstFree = place
        count -= 1
    }

    private mutating func widen() {
        let wider = UnsafeMutablePointer<HTTP2Stream>.allocate(capacity: 2 * capacity)
        wider.moveInitialize(from: streams, count: capacity)
        streams.deallocate()
        streams = wider
        capacity *= 2
        addFree(from: capacity / 2)
    }

    private mutating func addFree(from first: Int) {
        for place in (first..<capacity).reversed() {
            (streams + place).initialize(to: HTTP2Stream())
            (streams + place).pointee.nextFree = firstFree
            firstFree = UInt32(place)
        }
    }
}
