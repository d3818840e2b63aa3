import CLinux
import Primitives
import Testing

@testable import Kernel

struct RingFailureTests {
    struct Row: Sendable {
        let failure: RingFailure
        let cause: String
        let fix: String
    }

    @Test(
        "a failure names its cause and its fix",
        arguments: [
            Row(
                failure: .disabledBySysctl(value: 2), cause: "kernel.io_uring_disabled is 2",
                fix: "sysctl -w kernel.io_uring_disabled=0"),
            Row(
                failure: .blockedByFilter(Errno(rawValue: EPERM)), cause: "EPERM",
                fix: "--security-opt seccomp=unconfined"),
            Row(
                failure: .kernelTooOld(release: "5.15.0"), cause: "Linux 5.15.0 is too old",
                fix: "6.1 or later"),
            Row(
                failure: .missingOperations(["RECV", "SENDMSG"]), cause: "lacks RECV, SENDMSG",
                fix: "6.1 or later"),
            Row(failure: .outOfMemory, cause: "no memory", fix: "RLIMIT_MEMLOCK"),
            Row(failure: .other(Errno(rawValue: EINVAL)), cause: "EINVAL", fix: "io_uring_setup"),
        ])
    func sentence(row: Row) {
        #expect(row.failure.description.contains(row.cause))
        #expect(row.failure.description.contains(row.fix))
    }

    @Test("the errors of io_uring_setup are told apart")
    func setup() {
        #expect(RingFailure(setup: Errno(rawValue: ENOMEM)) == .outOfMemory)
        for code in [ENOSYS, EACCES] {
            let errno = Errno(rawValue: code)
            #expect(RingFailure(setup: errno) == .blockedByFilter(errno))
        }
        let unknown = Errno(rawValue: EINVAL)
        #expect(RingFailure(setup: unknown) == .other(unknown))
    }
}
