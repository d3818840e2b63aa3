import CLinux
import Testing

@testable import Control

@Suite("Log lines")
struct LineLogHandlerTests {
    @Test(
        "times are ISO 8601 in UTC with milliseconds",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, 7_999_999, "2000-02-29T00:00:00.007Z"),
            (1_795_393_814, 999_999_999, "2026-11-23T00:30:14.999Z"),
        ])
    func timestamp(seconds: Int, nanoseconds: Int, expected: String) {
        let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
        #expect(LineLogHandler.timestamp(time) == expected)
    }
}
