import CLinux
import Primitives
import Testing

@testable import Kernel

/// The same conversation on a ring with all that the kernel has, and with each feature missing.
struct FeatureTests {
    @Test(
        "an echo works without any one feature, and without all",
        arguments: KernelFeatures.names.map { KernelFeatures.all.subtracting($0.feature) }
            + [.all, []])
    func echo(allowed: KernelFeatures) throws {
        var bench = try RingBench(allowed: allowed)
        let features = bench.ring.features
        #expect(features.isSubset(of: allowed))
        bench.post(4)
        let (listener, address) = try Loopback.listener()
        let accepting = Token(kind: 1, generation: 0, index: 0)
        bench.ring.accept(on: listener, token: accepting)
        for round in UInt32(0)..<3 {
            let client = try Loopback.checked(
                bench.ring.socket(family: AF_INET, type: Loopback.stream))
            var name = address
            let connecting = Token(kind: 2, generation: round, index: 0)
            bench.ring.connect(client, to: &name, token: connecting)
            let connected = try bench.next(connecting)
            #expect(connected.result == 0)
            let accepted = try bench.next(accepting)
            #expect(accepted.result > 0)
            #expect(accepted.hasMore == allowed.contains(.multishotAccept))
            if !accepted.hasMore { bench.ring.accept(on: listener, token: accepting) }
            try Self.converse(&bench, client, accepted.result, round)
            Loopback.close(client, accepted.result)
        }
        bench.ring.cancel(accepting)
        let last = try bench.next(accepting)
        #expect(last.result == -ECANCELED)
        Loopback.close(listener)
    }

    private static func converse(
        _ bench: inout RingBench, _ client: Descriptor, _ server: Descriptor, _ round: UInt32
    ) throws {
        let isMultishot = bench.ring.features.contains(.multishotReceive)
        let receiving = Token(kind: 3, generation: round, index: 1)
        bench.ring.receive(
            on: server, group: RingBench.group, multishot: true, pollFirst: true, token: receiving)
        for word in ["request", "and another"] {
            try Loopback.write(word, to: client)
            let request = try bench.next(receiving)
            #expect(request.hasMore == isMultishot)
            let text = bench.text(of: request)
            #expect(text == word)
            bench.post(1)
            if !request.hasMore {
                bench.ring.receive(
                    on: server, group: RingBench.group, multishot: true, pollFirst: false,
                    token: receiving)
            }
            let bytes = Array(word.utf8)
            let sent = bench.ring.send(server, bytes, count: bytes.count)
            #expect(sent == bytes.count)
            let polling = Token(kind: 4, generation: round, index: 2)
            bench.ring.poll(client, events: Int32(POLLIN), token: polling)
            let readable = try bench.next(polling)
            #expect(readable.result & Int32(POLLIN) != 0)
            #expect(try Loopback.read(from: client) == word)
        }
        let shut = bench.ring.shutdownWrite(client)
        let end = try bench.next(receiving)
        #expect(shut == 0 && end.result == 0 && !end.hasMore)
    }
}
