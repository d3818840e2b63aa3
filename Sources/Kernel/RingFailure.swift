import CLinux
import Primitives

/// Why a ring could not be made, in words for the operator.
public enum RingFailure: Error, Hashable, Sendable {
    /// `kernel.io_uring_disabled` is 1 or 2 (Linux 6.6).
    case disabledBySysctl(value: Int)
    /// EPERM or ENOSYS on a kernel that has io_uring: a seccomp filter or security module.
    case blockedByFilter(Errno)
    case kernelTooOld(release: String)
    case missingOperations([String])
    case outOfMemory
    case other(Errno)
}

extension RingFailure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .disabledBySysctl(let value):
            "io_uring is disabled here: kernel.io_uring_disabled is \(value); "
                + "enable it with: sysctl -w kernel.io_uring_disabled=0"
        case .blockedByFilter(let errno):
            "io_uring_setup answered \(errno) although the kernel has io_uring: a seccomp profile "
                + "(as Docker's and containerd's default) or a security module blocks it; "
                + "run with a profile that allows io_uring_setup, io_uring_enter and "
                + "io_uring_register, such as: docker run --security-opt seccomp=unconfined"
        case .kernelTooOld(let release):
            "Linux \(release) is too old: Apus needs 6.1 or later"
        case .missingOperations(let names):
            "this kernel's io_uring lacks \(names.joined(separator: ", ")):"
                + " Apus needs Linux 6.1 or later"
        case .outOfMemory:
            "no memory for the ring: raise RLIMIT_MEMLOCK (ulimit -l unlimited) or free memory"
        case .other(let errno):
            "io_uring_setup failed: \(errno)"
        }
    }
}

extension RingFailure {
    /// What an error of `io_uring_setup(2)` means on this machine.
    init(setup errno: Errno) {
        switch errno.rawValue {
        case EPERM where Self.disabledSysctl > 0:
            self = .disabledBySysctl(value: Self.disabledSysctl)
        case EPERM, ENOSYS, EACCES: self = .blockedByFilter(errno)
        case ENOMEM: self = .outOfMemory
        default: self = .other(errno)
        }
    }

    /// `/proc/sys/kernel/io_uring_disabled`, or 0 where there is none.
    private static var disabledSysctl: Int {
        let file = apus_open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { _ = apus_close(file) }
        var digit: UInt8 = 0
        guard read(file, &digit, 1) == 1 else { return 0 }
        return Int(digit) - Int(UInt8(ascii: "0"))
    }
}
