import Primitives
import Wire

/// The memory in which one worker reads and writes heads, for the length of one step. Made when
/// the first listener wants it. Worker thread only.
final class HTTPDesk {
    /// Of the head that was read last.
    let fields = HTTPHeadTable(fieldsMax: HTTPDesk.fieldsMax)
    /// A head that no single buffer holds.
    let gathered: UnsafeMutableRawBufferPointer
    /// A path in its normal form.
    let path: UnsafeMutableRawBufferPointer
    /// What is written next: a head, and as much of a body as is there.
    let outgoing: UnsafeMutableRawBufferPointer
    var random: SeededRandom

    /// The most that a head may have; what is added to it fits beside it in `outgoing`.
    static let headBytesMax = 64 << 10
    static let fieldsMax = 100

    /// The fields of the head that was read last.
    func fields(_ count: UInt16) -> UnsafeMutableBufferPointer<HTTPField> {
        UnsafeMutableBufferPointer(rebasing: fields.fields[..<Int(count)])
    }

    init() {
        gathered = .allocate(byteCount: Self.headBytesMax, alignment: 64)
        path = .allocate(byteCount: Self.headBytesMax, alignment: 64)
        outgoing = .allocate(byteCount: 2 * Self.headBytesMax, alignment: 64)
        random = SeededRandom(seed: .random(in: UInt64.min...UInt64.max))
    }

    deinit {
        gathered.deallocate()
        path.deallocate()
        outgoing.deallocate()
    }
}
