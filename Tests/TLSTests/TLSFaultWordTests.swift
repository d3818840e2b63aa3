import Testing

@testable import TLS

@Suite struct TLSFaultWordTests {
    @Test("a fault comes back from its word, with what it says")
    func returns() {
        var words: Set<UInt64> = []
        for kind in TLSFault.kinds + [.alertReceived(0), .alertReceived(45), .alertReceived(255)] {
            for code in [0, 10, UInt(UInt32.max)] as [UInt] {
                let fault = TLSFault(kind, code: code)
                #expect(TLSFault(word: fault.word) == fault)
                words.insert(fault.word)
            }
        }
        #expect(words.count == 3 * (TLSFault.kinds.count + 3), "all are told apart")
        #expect(TLSFault(word: 0) == nil)
        #expect(TLSFault(word: 1 << 63 | 0xff00) == nil)
    }
}
