import Primitives
import Testing

@testable import Health

@Suite("Bytes looked for in a stream")
struct ByteSearchTests {
    @Test("every pattern of five bytes of two is found in every stream of nine, however it is cut")
    func table() {
        func words(_ length: Int) -> [[UInt8]] {
            (0..<1 << length).map { bits in (0..<length).map { UInt8(bits >> $0 & 1) } }
        }
        for pattern in (0...5).flatMap(words) {
            for stream in words(9) {
                var search = ByteSearch(pattern)
                for byte in stream { withUnsafeBytes(of: byte) { search.read($0) } }
                let isThere = (0...9 - pattern.count).contains { start in
                    stream[start..<start + pattern.count].elementsEqual(pattern)
                }
                if search.isFound != isThere { Issue.record("\(pattern) in \(stream)") }
                var whole = ByteSearch(pattern)
                stream.withUnsafeBytes { whole.read($0) }
                if whole.isFound != isThere { Issue.record("\(pattern) in \(stream) at once") }
            }
        }
    }
}
