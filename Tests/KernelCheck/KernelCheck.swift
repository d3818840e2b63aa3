import Glibc
import Primitives
import Traffic

/// Forwards real data through an `apus` that runs with `kernel-check.yaml`, inside the machine that
/// `tools/kernel` boots. Prints one line for each thing tried, and `PASS` or `FAIL` at the end.
enum KernelCheck {
    private static func fail(_ text: String) -> Never {
        print("FAIL: \(text)")
        exit(1)
    }

    static let seed: UInt64 = 61

    static func main() {
        do {
            try stream(count: 100, times: 50)
            try stream(count: 24 << 20, times: 2)
            try reset()
            try datagrams()
        } catch {
            fail("\(error)")
        }
        print("PASS")
        exit(0)
    }

    private static func loopback(_ port: UInt16) -> SocketAddress {
        .ip(.loopbackIPv4, port: port)
    }

    /// Different bytes both ways at once, so many times.
    private static func stream(count: Int, times: Int) throws {
        let up = Transfer(seed: seed, count: count)
        let down = Transfer(seed: seed + 10, count: count)
        let server = try StreamServer(on: loopback(20080)) {
            try $0.exchange(sending: down, receiving: up)
        }
        for _ in 0..<times {
            try Socket.connected(to: loopback(10080)).exchange(sending: up, receiving: down)
        }
        try server.stop()
        print("tcp: \(times) connections of \(count) bytes both ways, every byte as sent")
    }

    private static func reset() throws {
        let server = try StreamServer(on: loopback(20080)) {
            _ = try $0.read(exactly: 4)
            try $0.reset()
        }
        let client = try Socket.connected(to: loopback(10080))
        try client.write("ping")
        do {
            let bytes = try client.read()
            fail("\(bytes.count) bytes instead of a reset")
        } catch let failure as SocketFailure where failure.errno.rawValue == ECONNRESET {
            print("tcp: a reset is passed on as a reset")
        }
        try server.stop()
    }

    private static func datagrams() throws {
        let server = try DatagramServer(on: loopback(20053))
        let client = try Socket.datagrams(on: loopback(0))
        try client.connect(to: loopback(10053))
        let pattern = Pattern(seed: seed)
        let sizes = [0, 1, 64, 512, 1_400, 9_000, 40_000, 65_507]
        for size in sizes {
            let datagram = pattern.piece(at: size, count: size)
            try client.send(datagram)
            let answer = try client.receive()
            guard answer == datagram else {
                fail("a datagram of \(size) bytes came back as \(answer.count)")
            }
        }
        try server.stop()
        print("udp: datagrams of \(sizes) bytes, every byte as sent")
    }
}
