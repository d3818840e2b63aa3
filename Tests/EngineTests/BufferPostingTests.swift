import Testing

@testable import Engine

struct BufferPostingTests {
    @Test("few buffers are posted, twice as many each time they ran out, never more than entries")
    func growth() {
        var posting = BufferPosting(entries: 256)
        var targets = [posting.target]
        for _ in 0..<4 {
            posting.noteExhausted()
            targets.append(posting.target)
        }
        #expect(targets == [64, 128, 256, 256, 256])
        #expect(BufferPosting(entries: 16).target == 16)
    }

    @Test("what is missing is the target less what is posted")
    func missing() {
        var posting = BufferPosting(entries: 256)
        #expect(posting.missing == 64)
        posting.notePosted(64)
        #expect(posting.missing == 0)
        posting.noteTaken()
        #expect(posting.missing == 1)
        posting.noteExhausted()
        #expect(posting.missing == 65)
    }
}
