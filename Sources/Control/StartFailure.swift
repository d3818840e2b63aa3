/// Why the process cannot start: one sentence for the operator with the cause and what mends it.
public struct StartFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
