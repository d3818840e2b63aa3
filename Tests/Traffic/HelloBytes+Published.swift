/// Hellos whose fingerprints are published with the rules of the fingerprints.
extension HelloBytes {
    /// Those of JA3's README: "769,47-53-…" and the one without extensions.
    public static var ja3Example: HelloBytes {
        var hello = HelloBytes(
            .init(0, []), .init(10, vector16([0, 23, 0, 24, 0, 25])), .init(11, vector8([0])))
        hello.extensions?[0] = .serverName("a.example")
        hello.version = 769
        hello.suites = pairs([
            47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4,
        ])
        return hello
    }

    public static var ja3ExampleBare: HelloBytes {
        var hello = HelloBytes()
        hello.extensions = nil
        hello.version = 769
        hello.suites = pairs([4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99])
        return hello
    }

    /// That of JA4's specification, a Chrome, with grease added where Chrome has it.
    public static var ja4Example: HelloBytes {
        var hello = HelloBytes(.init(0x1a1a, []), .init(0x001b, [2, 0, 2]))
        hello.suites = pairs([
            0x5a5a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
            0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
        ])
        hello.extensions? += [
            .serverName("a.example"), .init(0x0033, []), .protocols("h2", "http/1.1"),
            .init(0x4469, []), .init(0x0017, []), .init(0x002d, [1, 1]),
            .init(
                0x000d,
                vector16(
                    pairs([0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]))),
            .init(0x0005, [1, 0, 0, 0, 0]), .init(0x0023, []), .init(0x0012, []),
            .init(0x002b, vector8(pairs([0x6a6a, 0x0304, 0x0303]))), .init(0xff01, [0]),
            .init(0x000b, vector8([0])),
            .init(0x000a, vector16(pairs([0xdada, 0x001d, 0x0017, 0x0018]))), .padding(10),
            .init(0xbaba, [0]),
        ]
        return hello
    }

    private static func pairs(_ values: [UInt16]) -> [UInt8] {
        values.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    }
}
