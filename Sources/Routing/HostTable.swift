/// Which of many host patterns stands for a name, the most specific one first: an exact name,
/// then wildcards from the longest to the shortest, then the one that stands for every name.
/// Immutable; owned by the table of a listener.
struct HostTable: Sendable {
    static let absent = ByteTable.absent

    /// Keys are reversed, because what wildcards have in common is the end.
    private var exact = ByteTable()
    private var suffixes = ByteTable()
    /// Of each pattern: the next less specific one that stands for every name that it stands for.
    private var broader: [Int32]
    private var any = absent

    /// Of equal patterns the first is found.
    init(_ patterns: [HostPattern]) {
        broader = Array(repeating: Self.absent, count: patterns.count)
        for (index, pattern) in patterns.enumerated() {
            switch pattern {
            case .any: if any == Self.absent { any = Int32(index) }
            case .exact(let name): exact.insert(name.utf8.reversed(), value: Int32(index))
            case .suffix(let suffix): suffixes.insert(suffix.utf8.reversed(), value: Int32(index))
            }
        }
        for (index, pattern) in patterns.enumerated() {
            switch pattern {
            case .any: break
            case .exact(let name), .suffix(let name):
                let key = Array(name.utf8)
                broader[index] = key.withUnsafeBytes { longestSuffix(of: $0) }
            }
        }
    }

    /// - Parameter name: in any case, without a port; a dot at its end is not looked at. Nil: the
    ///   client named nothing, and only the pattern for every name is left.
    /// - Returns: the most specific pattern's place, or `absent`.
    func find(_ name: UnsafeRawBufferPointer?) -> Int32 {
        guard var name else { return any }
        if name.last == UInt8(ascii: ".") { name = name.part(0..<(name.count - 1)) }
        if name.count <= exact.lengthMax {
            var hash = ByteTable.seed()
            for place in name.indices.reversed() {
                hash = ByteTable.step(hash, name[place].lowercase)
            }
            let found = exact.find(hash, reversing: name)
            if found != Self.absent { return found }
        }
        return longestSuffix(of: name)
    }

    /// The pattern to look at after this one; `absent` = there is none.
    func next(after pattern: Int32) -> Int32 { broader[Int(pattern)] }

    /// The longest wildcard for a name, which stands for one label and more; else `any`.
    private func longestSuffix(of name: UnsafeRawBufferPointer) -> Int32 {
        var hash = ByteTable.seed()
        var best = any
        var place = name.count - 1
        let end = max(0, name.count - suffixes.lengthMax)
        while place >= end, place > 0 {
            hash = ByteTable.step(hash, name[place].lowercase)
            if name[place] == UInt8(ascii: ".") {
                let found = suffixes.find(hash, reversing: name.part(place..<name.count))
                if found != Self.absent { best = found }
            }
            place -= 1
        }
        return best
    }
}
