import CLinux
import Kernel
import Primitives

/// Datagrams for one destination that wait to leave together: equal in size but for the last, so
/// that one call sends them as segments (`udp(7)`, UDP_SEGMENT) and the receiver gets them exactly
/// as they came. Its vectors point into received buffers, which it gives back afterwards. Owned by
/// one worker.
struct DatagramBatch: ~Copyable {
    enum Target: BitwiseCopyable, Equatable {
        case endpoint(UInt32)
        case client(UInt32)
    }

    /// Linux 4.18's UDP_MAX_SEGMENTS; later kernels take more.
    static let segmentsMax = 64
    /// 65,535 less the IPv4 and UDP heads.
    static let bytesMax = 65_507

    private(set) var target = Target.endpoint(Flow.none)
    private(set) var count = 0
    private(set) var bytes = 0
    /// Bytes of each datagram but the last.
    private(set) var segmentBytes = 0
    private(set) var segments = 0
    /// The last datagram was a short one.
    private var isClosed = false
    let vectors: UnsafeMutablePointer<iovec>
    private let buffers: UnsafeMutablePointer<UInt16>

    init() {
        vectors = .allocate(capacity: Self.segmentsMax)
        vectors.initialize(repeating: iovec(), count: Self.segmentsMax)
        buffers = .allocate(capacity: Self.segmentsMax)
    }

    deinit {
        vectors.deallocate()
        buffers.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Whether one call can still take these bytes with the others.
    @inline(__always)
    func takes(
        _ payload: UnsafeRawBufferPointer, segmentBytes size: Int, for target: Target
    ) -> Bool {
        guard !isClosed, target == self.target, segments > 0 else { return false }
        let isOne = payload.count <= size
        guard isOne ? payload.count <= segmentBytes : size == segmentBytes else { return false }
        let more = isOne ? 1 : (payload.count + size - 1) / size
        return payload.count > 0 && bytes + payload.count <= Self.bytesMax
            && segments + more <= Self.segmentsMax
    }

    /// - Parameter segmentBytes: what each datagram of `payload` has, the last perhaps less.
    /// - Precondition: the batch is empty or `takes` them.
    @inline(__always)
    mutating func append(
        _ payload: UnsafeRawBufferPointer, segmentBytes size: Int, for target: Target,
        buffer: UInt16
    ) {
        if count == 0 {
            self.target = target
            segmentBytes = min(size, payload.count)
        }
        vectors[count].iov_base = UnsafeMutableRawPointer(mutating: payload.baseAddress)
        vectors[count].iov_len = payload.count
        buffers[count] = buffer
        count += 1
        bytes += payload.count
        segments += segmentBytes == 0 ? 1 : (payload.count + segmentBytes - 1) / segmentBytes
        isClosed = segmentBytes == 0 || payload.count % segmentBytes != 0
    }

    mutating func removeAll(givingBackTo pool: inout BufferPool) {
        for place in 0..<count { pool.give(buffers[place]) }
        count = 0
        bytes = 0
        segments = 0
        isClosed = false
    }
}
