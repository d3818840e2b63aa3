import Primitives
import Testing

@Suite struct ErrnoTests {
    @Test("only a result below zero is an error")
    func results() {
        #expect(Errno(result: 0) == nil)
        #expect(Errno(result: 7) == nil)
        #expect(Errno(result: -111) == Errno(rawValue: 111))
    }

    @Test("an error is told in words and by its name")
    func descriptions() {
        #expect(Errno(rawValue: 111).description == "Connection refused (ECONNREFUSED)")
        #expect(Errno(rawValue: 24).description == "Too many open files (EMFILE)")
        #expect(Errno(rawValue: 4095).description.contains("4095"))
    }
}
