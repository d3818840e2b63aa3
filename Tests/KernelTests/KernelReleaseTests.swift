import Testing

@testable import Kernel

struct KernelReleaseTests {
    struct Row: Sendable, CustomStringConvertible {
        let text: String
        let major: Int
        let minor: Int

        var description: String { text }
    }

    @Test(
        "a release is read as far as its minor number",
        arguments: [
            Row(text: "6.1.0-56-amd64", major: 6, minor: 1),
            Row(text: "6.18.5", major: 6, minor: 18),
            Row(text: "6.12-rc3", major: 6, minor: 12),
            Row(text: "5.15.167.4-microsoft-standard-WSL2", major: 5, minor: 15),
            Row(text: "7.0+", major: 7, minor: 0),
            Row(text: "7", major: 7, minor: 0),
            Row(text: "unknown", major: 0, minor: 0),
            Row(text: "", major: 0, minor: 0),
        ])
    func parsing(row: Row) {
        let release = KernelRelease(row.text)
        #expect(release.text == row.text)
        #expect(release.major == row.major)
        #expect(release.minor == row.minor)
    }

    @Test("releases compare by number, not by digit")
    func comparison() {
        let release = KernelRelease("6.9.1")
        #expect(release.isAtLeast(6, 9))
        #expect(release.isAtLeast(6, 1))
        #expect(release.isAtLeast(5, 19))
        #expect(!release.isAtLeast(6, 10))
        #expect(!release.isAtLeast(7, 0))
    }

    @Test("the running kernel's release can be read, and these tests run on one that is enough")
    func running() {
        #expect(KernelRelease.running.isAtLeast(6, 1))
    }
}
