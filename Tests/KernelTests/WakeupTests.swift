import CLinux
import Primitives
import Testing

@testable import Kernel

struct WakeupTests {
    private static func isReadable(_ descriptor: Descriptor) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return CLinux.poll(&entry, 1, 0) == 1
    }

    @Test("signals before a wait end it at once, all of them together")
    func signalsAddUp() throws {
        let wakeup = try Wakeup()
        #expect(!Self.isReadable(wakeup.descriptor))
        for _ in 0..<3 { wakeup.signal() }
        #expect(Self.isReadable(wakeup.descriptor))
        wakeup.wait()
        #expect(!Self.isReadable(wakeup.descriptor))
    }

    @Test("a wait ends when another thread signals")
    func acrossThreads() throws {
        let ping = try Wakeup()
        let pong = try Wakeup()
        try PosixThread.start(name: "answers") {
            for _ in 0..<100 {
                ping.wait()
                pong.signal()
            }
        }
        for _ in 0..<100 {
            ping.signal()
            pong.wait()
        }
        #expect(!Self.isReadable(ping.descriptor) && !Self.isReadable(pong.descriptor))
    }
}
