import Glibc
import Primitives
import Testing

@Suite struct PosixThreadTests {
    private static func name() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { text in
            guard pthread_getname_np(pthread_self(), text.baseAddress!, text.count) == 0 else {
                return ""
            }
            return String(cString: text.baseAddress!)
        }
    }

    @Test("a thread runs once, elsewhere, under its name cut to 15 bytes")
    func named() async throws {
        for (name, shown) in [
            ("worker-1", "worker-1"), ("a-name-of-20-letters", "a-name-of-20-le"),
        ] {
            let seen = try await withCheckedThrowingContinuation { continuation in
                do {
                    try PosixThread.start(name: name) {
                        continuation.resume(returning: Self.name())
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            #expect(seen == shown)
        }
    }
}
