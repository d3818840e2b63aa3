import CSecure

/// CPU time that the calling thread spends in what it is given, added up.
final class Stopwatch {
    // MARK: Owner's thread only
    private(set) var nanoseconds: UInt64 = 0

    func time<T>(_ step: () -> T) -> T {
        let start = apus_cpu_nanoseconds()
        let result = step()
        nanoseconds += apus_cpu_nanoseconds() - start
        return result
    }

    func reset() { nanoseconds = 0 }
}
