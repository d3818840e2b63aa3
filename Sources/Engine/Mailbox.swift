import Synchronization

/// Messages for one worker: any thread puts them in, the worker takes all of them at once. A linked
/// stack behind one atomic pointer (Treiber 1986); nobody waits for anybody.
final class Mailbox: Sendable {
    private final class Letter: Sendable {
        let message: WorkerMessage
        let next: Unmanaged<Letter>?

        init(_ message: WorkerMessage, next: Unmanaged<Letter>?) {
            self.message = message
            self.next = next
        }
    }

    // MARK: Any thread (atomic)
    private let top = Atomic<UInt>(0)

    deinit {
        _ = takeAll()
    }

    func put(_ message: WorkerMessage) {
        var expected = top.load(ordering: .relaxed)
        while true {
            let next = UnsafeRawPointer(bitPattern: expected).map(Unmanaged<Letter>.fromOpaque)
            let letter = Unmanaged.passRetained(Letter(message, next: next))
            let address = UInt(bitPattern: letter.toOpaque())
            let result = top.compareExchange(
                expected: expected, desired: address, ordering: .acquiringAndReleasing)
            if result.exchanged { return }
            letter.release()
            expected = result.original
        }
    }

    @inline(__always)
    var isEmpty: Bool { top.load(ordering: .relaxed) == 0 }

    /// All messages, oldest first.
    func takeAll() -> [WorkerMessage] {
        var messages: [WorkerMessage] = []
        var address = top.exchange(0, ordering: .acquiringAndReleasing)
        while let pointer = UnsafeRawPointer(bitPattern: address) {
            let letter = Unmanaged<Letter>.fromOpaque(pointer).takeRetainedValue()
            messages.append(letter.message)
            address = letter.next.map { UInt(bitPattern: $0.toOpaque()) } ?? 0
        }
        return messages.reversed()
    }
}
