import Routing

/// Judges a response, of whatever version of HTTP, by what is expected of it: the status as soon as
/// it is known, then the beginning of the body. Pure; owned by an exchange.
struct HTTPExpectation {
    private let statuses: [UInt16]
    private let retriableStatuses: [UInt16]
    private let expectsBody: Bool
    private var search: ByteSearch
    private var status: UInt16?
    private var bodyBytes = 0

    init(_ probe: HealthCheckPlan.HTTPProbe) {
        statuses = probe.statuses
        retriableStatuses = probe.retriableStatuses
        expectsBody = !probe.expectedBody.isEmpty
        search = ByteSearch(probe.expectedBody)
    }

    /// The status of the final response.
    mutating func on(status: UInt16) -> CheckOutcome? {
        self.status = status
        guard !statuses.contains(status) else { return nil }
        return .failed(.status(status, isRetriable: retriableStatuses.contains(status)))
    }

    /// A piece of the body. A response that is longer than anything looked for is as good as
    /// complete.
    mutating func on(body: UnsafeRawBufferPointer) -> CheckOutcome? {
        let left = HealthCheck.answerBytesMax - bodyBytes
        search.read(UnsafeRawBufferPointer(rebasing: body.prefix(left)))
        bodyBytes += min(body.count, left)
        if expectsBody, search.isFound { return .passed }
        return bodyBytes < HealthCheck.answerBytesMax ? nil : end()
    }

    /// The response is complete.
    func end() -> CheckOutcome {
        guard let status else { preconditionFailure("a response begins with its status") }
        return search.isFound ? .passed : .failed(.bodyDiffers(status: status))
    }
}
