/// From the names of certificates to numbers, looked up by what a client asks for. Immutable; read
/// by workers. Names are sorted, so that a look-up compares log₂ of them and nothing is hashed that
/// a client chose.
struct NameTable: Sendable {
    /// A name's place in `bytes`.
    private struct Entry {
        var offset: Int
        var count: Int
        var value: Int
    }

    private var entries: [Entry] = []
    private var bytes: [UInt8] = []
    /// No DNS name is longer (RFC 1035 §2.3.4).
    private static let nameBytesMax = 255

    /// - Parameter names: in lower case, each once; a first label `*` stands for any one label.
    init(_ names: [(name: String, value: Int)]) {
        let sorted = names.sorted {
            Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8))
        }
        for (name, value) in sorted {
            entries.append(Entry(offset: bytes.count, count: name.utf8.count, value: value))
            bytes += Array(name.utf8)
        }
    }

    /// - Parameter name: in any case; a dot at its end is not looked at.
    /// - Returns: the value of the exact name, else of the wildcard in place of its first label,
    ///   else 0.
    func find(_ name: UnsafeRawBufferPointer) -> Int {
        var name = name
        if name.last == UInt8(ascii: ".") { name = .init(rebasing: name.dropLast()) }
        guard (1...Self.nameBytesMax).contains(name.count) else { return 0 }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.nameBytesMax) { lower in
            for (place, byte) in name.enumerated() {
                lower[place] = byte &- 0x41 < 26 ? byte | 0x20 : byte
            }
            let key = UnsafeBufferPointer(rebasing: lower.prefix(name.count))
            if let value = value(of: key[...]) { return value }
            // In place of a first label that has at least one byte, which `*` then takes.
            guard let dot = key.firstIndex(of: UInt8(ascii: ".")), dot > 0 else { return 0 }
            lower[dot - 1] = UInt8(ascii: "*")
            return value(of: key[(dot - 1)...]) ?? 0
        }
    }

    private func value(of key: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            let entry = entries[middle]
            let name = bytes[entry.offset..<(entry.offset + entry.count)]
            if name.elementsEqual(key) { return entry.value }
            if name.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
