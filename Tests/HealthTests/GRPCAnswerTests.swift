import Testing

@testable import Health

@Suite("Answers of grpc.health.v1")
struct GRPCAnswerTests {
    private static func outcome(
        _ headers: [(String, String)], _ bodies: [[UInt8]] = []
    ) -> CheckOutcome {
        var answer = GRPCAnswer()
        for (name, value) in headers { answer.on(header: name, value) }
        for body in bodies { body.withUnsafeBytes { answer.on(body: $0) } }
        return answer.outcome()
    }

    private static let well = [
        (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"),
    ]

    @Test("only SERVING is well")
    func statuses() {
        #expect(Self.outcome(Self.well, [[0, 0, 0, 0, 2, 8, 1]]) == .passed)
        #expect(Self.outcome(Self.well, [[0, 0, 0, 0, 2, 8, 2]]) == .failed(.notServing(2)))
        #expect(Self.outcome(Self.well, [[0, 0, 0, 0, 2, 8, 3]]) == .failed(.notServing(3)))
        // A field with its default is not there.
        #expect(Self.outcome(Self.well, [[0, 0, 0, 0, 0]]) == .failed(.notServing(0)))
        let far: [UInt8] = [0, 0, 0, 0, 3, 8, 0x81, 1]
        #expect(Self.outcome(Self.well, [far]) == .failed(.notServing(129)))
    }

    @Test("a message may come in pieces and have fields that nobody knows")
    func pieces() {
        let message: [UInt8] = [
            0, 0, 0, 0, 24, 0x12, 2, 1, 2, 0x18, 0xff, 1, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2d, 1, 2,
            3, 4, 8, 2, 8, 1,
        ]
        let exact = Array(message[..<4]) + [UInt8(message.count - 5)] + message[5...]
        for cut in 0...exact.count {
            let outcome = Self.outcome(Self.well, [Array(exact[..<cut]), Array(exact[cut...])])
            #expect(outcome == .passed, "cut at \(cut)")
        }
    }

    @Test("what is no answer is told so")
    func malformed() {
        let bad: [[UInt8]] = [
            [], [0], [0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 3, 8, 1], [1, 0, 0, 0, 2, 8, 1],
            [0, 0, 0, 0, 1, 8], [0, 0, 0, 0, 2, 8, 0x80], [0, 0, 0, 0, 2, 0, 1],
            [0, 0, 0, 0, 2, 0x0a, 1], [0, 0, 0, 0, 2, 0x0b, 1], [0, 0, 0, 0, 2, 0x0d, 1],
            [0, 0, 0, 0, 2, 9, 1], [0xff, 0xff, 0xff, 0xff, 0xff],
            [0, 0, 0, 0, 12, 8] + [UInt8](repeating: 0xff, count: 11),
            [0, 0, 0, 0, 11, 0x0a] + [UInt8](repeating: 0xff, count: 9) + [1],
            [0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 2, 8, 1],
        ]
        for bytes in bad {
            #expect(Self.outcome(Self.well, [bytes]) == .failed(.rpcMalformed), "\(bytes)")
        }
        let long = [UInt8](repeating: 0, count: GRPCAnswer.bytesMax)
        #expect(
            Self.outcome(Self.well, [[0, 0, 0, 16, 0], long]) == .failed(.rpcMalformed))
        #expect(Self.outcome([(":status", "200")]) == .failed(.rpcMalformed))
        #expect(Self.outcome([]) == .failed(.rpcMalformed))
    }

    @Test("a status of gRPC goes before one of HTTP")
    func failures() {
        #expect(
            Self.outcome([(":status", "200"), ("grpc-status", "12")])
                == .failed(.rpcFailed(code: 12, message: "")))
        #expect(
            Self.outcome([(":status", "503"), ("grpc-status", "14"), ("grpc-message", "no")])
                == .failed(.rpcFailed(code: 14, message: "no")))
        #expect(
            Self.outcome([(":status", "404")]) == .failed(.status(404, isRetriable: false)))
        #expect(
            Self.outcome([(":status", "200"), ("grpc-status", "x")]) == .failed(.rpcMalformed))
    }

    @Test("a request names the service, or nothing")
    func requests() {
        #expect(GRPCAnswer.framed(GRPCAnswer.request(service: "")) == [0, 0, 0, 0, 0])
        #expect(
            GRPCAnswer.framed(GRPCAnswer.request(service: "ab"))
                == [0, 0, 0, 0, 4, 0x0a, 2, 0x61, 0x62])
        let name = String(repeating: "a", count: 300)
        let long = GRPCAnswer.request(service: name)
        #expect(Array(long[..<3]) == [0x0a, 0xac, 2])
        #expect(GRPCAnswer.framed(long)[..<5].elementsEqual([0, 0, 0, 1, 0x2f]))
    }
}
