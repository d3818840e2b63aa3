import Testing

@testable import Wire

@Suite struct CRC32CTests {
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes.span.bytes, 0..<bytes.count)
        return crc.value
    }

    @Test("the check value of the Castagnoli polynomial is that of the catalogues")
    func checkValue() {
        #expect(checksum(Array("123456789".utf8)) == 0xe306_9283)
    }

    /// RFC 3720 B.4 (iSCSI), read as numbers.
    @Test("the test patterns of RFC 3720 have their checksums")
    func vectors() {
        #expect(checksum(Array(repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(checksum(Array(repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(checksum(Array(0...31)) == 0x46dd_794e)
        #expect(checksum((0...31).reversed()) == 0x113f_db5c)
        #expect(checksum([]) == 0)
    }

    @Test("a checksum made in pieces, with zeros said by number, is that of the whole")
    func pieces() {
        let bytes: [UInt8] = [1, 2, 3, 0, 0, 0, 0, 4, 5]
        var crc = CRC32C()
        crc.update(bytes.span.bytes, 0..<3)
        crc.update(zeros: 4)
        crc.update(bytes.span.bytes, 7..<9)
        #expect(crc.value == checksum(bytes))
    }
}
