import Kernel
import Primitives
import Wire

/// The memory of one worker in which ClientHellos that came in pieces are put together. It is used
/// within one call at a time, and stays untouched, so without memory behind it, as long as every
/// hello comes in one piece. Owned by the worker.
struct HelloReader: ~Copyable {
    /// So many buffers of a client are kept at most; two neighbours hold more than one is large.
    static let buffersMax: UInt16 = 4

    private static let bytesMax = Int(buffersMax) * BufferSize.stream
    private let parser = ClientHelloParser()
    private let whole = UnsafeMutableRawBufferPointer.allocate(byteCount: bytesMax, alignment: 16)
    private let message = UnsafeMutableRawBufferPointer.allocate(byteCount: bytesMax, alignment: 16)

    deinit {
        whole.deallocate()
        message.deallocate()
    }

    /// - Returns: what the bytes in the buffers are; a hello refers to memory that is good until
    ///   the next call, or until the buffers are given back.
    func read(_ queue: BufferQueue, in pool: borrowing BufferPool) -> ClientHelloParser.Verdict {
        guard !queue.isEmpty else { return .needMore }
        if queue.count == 1 { return parser.parse(Self.bytes(queue.head, pool), scratch: message) }
        var count = 0
        var id = queue.head
        for _ in 0..<queue.count {
            let part = Self.bytes(id, pool)
            UnsafeMutableRawBufferPointer(rebasing: whole[count...]).copyMemory(from: part)
            count += part.count
            id = pool.load(id).pointee.next
        }
        return parser.parse(UnsafeRawBufferPointer(rebasing: whole[..<count]), scratch: message)
    }

    private static func bytes(
        _ id: UInt16, _ pool: borrowing BufferPool
    ) -> UnsafeRawBufferPointer {
        let load = pool.load(id).pointee
        return UnsafeRawBufferPointer(
            start: pool.address(id) + Int(load.start), count: Int(load.end - load.start))
    }
}
