import Testing

@testable import Kernel

struct TokenTests {
    @Test("a token carries kind, generation and index side by side")
    func layout() {
        let token = Token(kind: 0xa5, generation: 0x12_3456, index: 0x89ab_cdef)
        #expect(token.rawValue == 0xa512_3456_89ab_cdef)
        #expect(token.kind == 0xa5)
        #expect(token.generation == 0x12_3456)
        #expect(token.index == 0x89ab_cdef)
    }

    @Test("only 24 bits of a generation count, and the kind keeps its own")
    func generationWraps() {
        let token = Token(kind: 1, generation: UInt32.max, index: 0)
        #expect(token.generation == Token.generationMask)
        #expect(token.kind == 1)
        #expect(token.index == 0)
        #expect(Token(kind: 1, generation: 0x100_0002, index: 0).generation == 2)
    }

    @Test("a completion's flags tell of more, of a buffer and its number")
    func completionFlags() {
        let plain = Completion(token: .none, result: -4)
        #expect(!plain.hasMore && !plain.hasBuffer)
        let flags = UInt32(0xfffe) << Completion.bufferIDShift | Completion.hasBufferFlag
        let last = Completion(token: .none, result: 1, flags: flags)
        #expect(last.hasBuffer && !last.hasMore && last.bufferID == 0xfffe)
        let more = Completion(token: .none, result: 1, flags: Completion.hasMoreFlag)
        #expect(more.hasMore && !more.hasBuffer)
    }
}
