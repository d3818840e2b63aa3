import CLinux
import Kernel
import Testing

@testable import Engine

struct DatagramBatchTests {
    struct Row: Sendable {
        /// Bytes and segment bytes of what is in the batch, then of what comes.
        let first: (bytes: Int, segment: Int)
        let second: (bytes: Int, segment: Int)
        let joins: Bool

        init(_ first: (Int, Int), _ second: (Int, Int), _ joins: Bool) {
            (self.first, self.second, self.joins) = (first, second, joins)
        }
    }

    private static let table: [Row] = [
        Row((100, 100), (100, 100), true),
        // A shorter one may be the last.
        Row((100, 100), (60, 60), true),
        Row((100, 100), (101, 101), false),
        Row((100, 100), (0, 0), false),
        Row((0, 0), (0, 0), false),
        Row((0, 0), (100, 100), false),
        // Several that the kernel put together.
        Row((300, 100), (300, 100), true),
        Row((300, 100), (250, 100), true),
        Row((300, 100), (300, 150), false),
        Row((300, 100), (200, 50), false),
        Row((300, 100), (80, 80), true),
        Row((250, 100), (100, 100), false),
        Row((250, 100), (50, 50), false),
        // At most 64 segments, and 65,507 bytes.
        Row((60_000, 1_000), (4_000, 1_000), true),
        Row((60_000, 1_000), (4_001, 1_000), false),
        Row((60_000, 20_000), (5_507, 5_507), true),
        Row((60_000, 20_000), (5_508, 5_508), false),
        Row((40_000, 20_000), (20_000, 20_000), true),
    ]

    private static let target = DatagramBatch.Target.endpoint(3)

    @Test("what joins a batch is of its size, or shorter and the last", arguments: table)
    func joining(row: Row) {
        let memory = [UInt8](repeating: 1, count: 65_536)
        memory.withUnsafeBytes { memory in
            var batch = DatagramBatch()
            let first = UnsafeRawBufferPointer(rebasing: memory[..<row.first.bytes])
            let second = UnsafeRawBufferPointer(rebasing: memory[..<row.second.bytes])
            let early = batch.takes(first, segmentBytes: row.first.segment, for: Self.target)
            #expect(!early, "an empty batch is begun, not joined")
            batch.append(first, segmentBytes: row.first.segment, for: Self.target, buffer: 0)
            let joins = batch.takes(second, segmentBytes: row.second.segment, for: Self.target)
            #expect(joins == row.joins)
            for other in [DatagramBatch.Target.endpoint(4), .client(3)] {
                let strays = batch.takes(second, segmentBytes: row.second.segment, for: other)
                #expect(!strays)
            }
        }
    }

    @Test("a short datagram closes a batch, and sending gives every buffer back")
    func closing() {
        let memory = [UInt8](repeating: 1, count: 128)
        var pool = BufferPool(group: 0, count: 4, size: 128)
        memory.withUnsafeBytes { memory in
            let full = UnsafeRawBufferPointer(rebasing: memory[..<100])
            let short = UnsafeRawBufferPointer(rebasing: memory[..<40])
            var batch = DatagramBatch()
            for round in 0..<2 {
                for payload in [full, full, short] {
                    let buffer = pool.take() ?? BufferPool.none
                    batch.append(payload, segmentBytes: 100, for: Self.target, buffer: buffer)
                }
                let (count, bytes, segments) = (batch.count, batch.bytes, batch.segments)
                #expect(count == 3 && bytes == 240 && segments == 3, "round \(round)")
                let vector = batch.vectors[2]
                #expect(UnsafeRawPointer(vector.iov_base) == short.baseAddress)
                #expect(vector.iov_len == 40)
                let segmentBytes = batch.segmentBytes
                #expect(segmentBytes == 100)
                let joins = batch.takes(short, segmentBytes: 40, for: Self.target)
                #expect(!joins)
                batch.removeAll(givingBackTo: &pool)
                let isEmpty = batch.isEmpty
                #expect(isEmpty)
            }
        }
        let freeCount = pool.freeCount
        #expect(freeCount == 4)
    }

    @Test("64 datagrams fill a batch")
    func segmentsMax() {
        let memory = [UInt8](repeating: 1, count: 10)
        memory.withUnsafeBytes { payload in
            var batch = DatagramBatch()
            var count = 0
            repeat {
                batch.append(payload, segmentBytes: 10, for: Self.target, buffer: 0)
                count += 1
            } while batch.takes(payload, segmentBytes: 10, for: Self.target)
            #expect(count == DatagramBatch.segmentsMax)
        }
    }
}
