/// Looks for a few bytes in a stream that comes in pieces, without keeping any of it (Knuth, Morris
/// and Pratt 1977). A value; owned by who reads the stream.
struct ByteSearch {
    let pattern: [UInt8]
    /// How much of the pattern the stream ends with.
    private var matched = 0
    /// For each length matched, the longest shorter one that is matched as well.
    private let shorter: [Int]

    /// - Parameter pattern: when it is empty it is found at once.
    init(_ pattern: [UInt8]) {
        self.pattern = pattern
        var shorter = [Int](repeating: 0, count: pattern.count + 1)
        var length = 0
        for place in pattern.indices.dropFirst() {
            while length > 0, pattern[place] != pattern[length] { length = shorter[length] }
            if pattern[place] == pattern[length] { length += 1 }
            shorter[place + 1] = length
        }
        self.shorter = shorter
    }

    var isFound: Bool { matched == pattern.count }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if isFound { return }
            while matched > 0, byte != pattern[matched] { matched = shorter[matched] }
            if byte == pattern[matched] { matched += 1 }
        }
    }
}
