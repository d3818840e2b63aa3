/// The known name that was probably meant.
package enum Suggestion {
    /// Names longer than this are nobody's typing error, and cost time to compare.
    private static let lengthMax = 64

    /// The nearest of `names` by edits (insertion, removal, replacement, swap of two), if only few
    /// lead there. Upper and lower case count as the same.
    package static func nearest(to name: String, among names: [String]) -> String? {
        guard name.utf8.count <= lengthMax else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in names {
            let distance = distance(
                Array(name.lowercased().utf8), Array(candidate.lowercased().utf8))
            let allowed = max(1, min(name.utf8.count, candidate.utf8.count) / 3)
            guard distance <= allowed else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The optimal string alignment distance.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var before = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        var current = previous
        for row in 1...left.count {
            current[0] = row
            for column in 1...right.count {
                let isSame = left[row - 1] == right[column - 1]
                var cost = min(
                    previous[column] + 1, current[column - 1] + 1,
                    previous[column - 1] + (isSame ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    cost = min(cost, before[column - 2] + 1)
                }
                current[column] = cost
            }
            (before, previous, current) = (previous, current, before)
        }
        return previous[right.count]
    }
}
