import Primitives
import Testing

@Suite struct SocketAddressTests {
    private func bytes(_ address: RawSocketAddress) -> [UInt8] {
        withUnsafeBytes(of: address.storage) { Array($0.prefix(Int(address.length))) }
    }

    private func ip(_ text: String, _ port: UInt16) throws -> SocketAddress {
        .ip(try #require(IPAddress(text)), port: port)
    }

    @Test("an address is written as one types it")
    func descriptions() throws {
        #expect(try ip("192.0.2.1", 80).description == "192.0.2.1:80")
        #expect(try ip("2001:db8::1", 80).description == "[2001:db8::1]:80")
        #expect(SocketAddress.unix(path: "/run/a").description == "unix:/run/a")
        #expect(SocketAddress.unix(path: "@a").description == "unix:@a")
    }

    @Test("an IPv4 address is a sockaddr_in (ip(7))")
    func ipv4() throws {
        let raw = try ip("192.0.2.1", 0x1234).raw
        // The family stands in the machine's order, the rest in network order.
        #expect(bytes(raw) == [2, 0, 0x12, 0x34, 192, 0, 2, 1] + Array(repeating: 0, count: 8))
        #expect(raw.family == 2)
    }

    @Test("an IPv6 address is a sockaddr_in6 (ipv6(7)) without flow or scope")
    func ipv6() throws {
        let raw = try ip("1:2:3:4:5:6:7:8", 0x1234).raw
        let address: [UInt8] = [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]
        #expect(bytes(raw) == [10, 0, 0x12, 0x34, 0, 0, 0, 0] + address + [0, 0, 0, 0])
    }

    @Test("a Unix path ends with its zero byte, an abstract name begins with one (unix(7))")
    func unix() {
        #expect(bytes(SocketAddress.unix(path: "/a").raw) == [1, 0] + Array("/a\0".utf8))
        #expect(bytes(SocketAddress.unix(path: "@ab").raw) == [1, 0] + Array("\0ab".utf8))
        #expect(SocketAddress.unix(path: "/a").raw.ip == nil)
    }

    @Test("the longest path and the longest abstract name fit into sun_path")
    func longest() {
        let path = "/" + String(repeating: "a", count: SocketAddress.unixPathBytesMax - 1)
        #expect(SocketAddress.unix(path: path).raw.length == 2 + 108)
        let name = "@" + String(repeating: "a", count: SocketAddress.unixPathBytesMax - 1)
        #expect(SocketAddress.unix(path: name).raw.length == 2 + 107)
    }

    @Test("a path of one byte too many is not made into an address")
    func tooLong() async {
        await #expect(processExitsWith: .failure) {
            _ = SocketAddress.unix(path: String(repeating: "a", count: 108)).raw
        }
        await #expect(processExitsWith: .failure) {
            _ = SocketAddress.unix(path: "").raw
        }
    }

    @Test("IP addresses and ports come back from their raw form, mapped ones as IPv4")
    func roundTrip() throws {
        var random = SeededRandom(seed: 3)
        for _ in 0..<5_000 {
            let port = UInt16(truncatingIfNeeded: random.next())
            let v4 = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
            let v6 = IPAddress(v6High: random.next(), low: random.next())
            let mapped = IPAddress(v6High: v4.high, low: v4.low)
            for (address, expected) in [(v4, v4), (v6, v6), (mapped, v4)] {
                let back = try #require(RawSocketAddress(address, port: port).ip)
                #expect(back.address == expected && back.port == port)
            }
        }
    }

    @Test("an address that nobody filled in is of no family")
    func empty() {
        #expect(RawSocketAddress().family == 0)
        #expect(RawSocketAddress().ip == nil)
        #expect(RawSocketAddress.capacity == 128)
    }
}
