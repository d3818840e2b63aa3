import Primitives

/// Which of the endpoints of a cluster go on in its next set. Mostly all but a few do, in the same
/// order, so neighbours are looked at first; only what is left over is looked up.
struct EndpointMatching {
    private let known: [EndpointEntry]
    private var isMatched: [Bool]
    /// Those before it were looked at in order.
    private var cursor = 0
    /// Of those that are not matched in order, by address; made when it is first needed.
    private var places: [SocketAddress: [Int]]?

    init(_ known: [EndpointEntry]) {
        self.known = known
        isMatched = Array(repeating: false, count: known.count)
    }

    /// The place of the same endpoint, if it is the next or the one after it.
    mutating func next(like candidate: ClusterEndpoints.Candidate) -> Int? {
        for place in cursor..<min(cursor + 2, known.count) where isSame(place, candidate) {
            cursor = place + 1
            isMatched[place] = true
            return place
        }
        return nil
    }

    /// Its place, wherever it is, once all were asked for in order.
    mutating func any(like candidate: ClusterEndpoints.Candidate) -> Int? {
        if places == nil {
            places = Dictionary(grouping: unmatched) { known[$0].endpoint.socketAddress }
        }
        let place = places?[candidate.address]?.first {
            !isMatched[$0] && isSame($0, candidate)
        }
        if let place { isMatched[place] = true }
        return place
    }

    var unmatched: [Int] { isMatched.indices.filter { !isMatched[$0] } }

    private func isSame(_ place: Int, _ candidate: ClusterEndpoints.Candidate) -> Bool {
        let endpoint = known[place].endpoint
        return endpoint.socketAddress == candidate.address && endpoint.plan == candidate.plan
    }
}
