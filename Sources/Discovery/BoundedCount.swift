import Synchronization

extension Atomic where Value == Int {
    /// Counts one more unless there are `most`. Nobody is refused for those who are refused at the
    /// same time: the count never stands above what is had.
    func take(most: Int) -> Bool {
        guard most < .max else {
            wrappingAdd(1, ordering: .relaxed)
            return true
        }
        var count = load(ordering: .relaxed)
        while count < most {
            let (isTaken, found) = weakCompareExchange(
                expected: count, desired: count + 1, ordering: .relaxed)
            if isTaken { return true }
            count = found
        }
        return false
    }
}
