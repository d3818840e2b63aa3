import Testing

@testable import Engine

@Suite("How far an exchange is")
struct ExchangeProgressTests {
    typealias Event = ExchangeProgress.Event
    typealias Outcome = ExchangeProgress.Outcome

    /// What led to a state, what happens in it, and what follows.
    struct Row: CustomTestStringConvertible {
        let hasBody: Bool
        let isIdempotent: Bool
        let before: [Event]
        let event: Event
        let outcome: Outcome

        init(
            body: Bool = false, idempotent: Bool = true, _ before: [Event], _ event: Event,
            _ outcome: Outcome
        ) {
            (hasBody, isIdempotent, self.before) = (body, idempotent, before)
            (self.event, self.outcome) = (event, outcome)
        }

        var testDescription: String { "\(before) \(event), body: \(hasBody)" }
    }

    /// Every state that can be reached, with every event that a peer can cause in it.
    private static let table: [Row] = [
        // The head is all, and nothing has come.
        Row([], .answerBegan, .goOn),
        Row([], .endpointLost, .answer(.endpointLost)),
        Row([], .idleEndpointLost, .tryAgain),
        Row(idempotent: false, [], .idleEndpointLost, .answer(.endpointLost)),
        Row([], .requestRefused, .tryAgain),
        Row(idempotent: false, [], .requestRefused, .tryAgain),
        Row([], .endpointMissing, .answer(.endpointMissing)),
        Row([], .answerMalformed, .answer(.answerMalformed)),
        Row([], .timedOut, .answer(.timedOut)),
        // The answer passes.
        Row([.answerBegan], .answerEnded, .finish),
        Row([.answerBegan], .endpointLost, .cut),
        Row([.answerBegan], .idleEndpointLost, .cut),
        Row([.answerBegan], .requestRefused, .cut),
        Row([.answerBegan], .answerMalformed, .cut),
        Row([.answerBegan], .timedOut, .cut),
        // A body is to come, of which nothing is kept once it was taken.
        Row(body: true, [], .bodyBegan, .goOn),
        Row(body: true, [], .requestEnded, .goOn),
        Row(body: true, [], .answerBegan, .goOn),
        Row(body: true, [], .endpointLost, .answer(.endpointLost)),
        Row(body: true, [], .idleEndpointLost, .tryAgain),
        Row(body: true, idempotent: false, [], .idleEndpointLost, .answer(.endpointLost)),
        Row(body: true, idempotent: false, [], .requestRefused, .tryAgain),
        Row(body: true, [], .endpointMissing, .answer(.endpointMissing)),
        Row(body: true, [], .answerMalformed, .answer(.answerMalformed)),
        Row(body: true, [], .timedOut, .answer(.timedOut)),
        Row(body: true, [.bodyBegan], .bodyBegan, .goOn),
        Row(body: true, [.bodyBegan], .requestEnded, .goOn),
        Row(body: true, [.bodyBegan], .answerBegan, .goOn),
        Row(body: true, [.bodyBegan], .endpointLost, .answer(.endpointLost)),
        Row(body: true, [.bodyBegan], .idleEndpointLost, .answer(.endpointLost)),
        Row(body: true, [.bodyBegan], .requestRefused, .answer(.endpointLost)),
        Row(body: true, [.bodyBegan], .answerMalformed, .answer(.answerMalformed)),
        Row(body: true, [.bodyBegan], .timedOut, .answer(.timedOut)),
        // The answer comes before the request is whole.
        Row(body: true, [.answerBegan], .bodyBegan, .goOn),
        Row(body: true, [.answerBegan], .requestEnded, .goOn),
        Row(body: true, [.answerBegan], .answerEnded, .finishEarly),
        Row(body: true, [.bodyBegan, .answerBegan], .answerEnded, .finishEarly),
        Row(body: true, [.bodyBegan, .answerBegan], .endpointLost, .cut),
        Row(body: true, [.answerBegan, .bodyBegan, .requestEnded], .answerEnded, .finish),
        // And after it.
        Row(body: true, [.bodyBegan, .requestEnded], .answerBegan, .goOn),
        Row(body: true, [.bodyBegan, .requestEnded], .idleEndpointLost, .answer(.endpointLost)),
        Row(body: true, [.bodyBegan, .requestEnded], .timedOut, .answer(.timedOut)),
        Row(body: true, [.bodyBegan, .requestEnded, .answerBegan], .answerEnded, .finish),
        Row(body: true, [.bodyBegan, .requestEnded, .answerBegan], .timedOut, .cut),
    ]

    @Test("each state has its outcome", arguments: table)
    func outcome(row: Row) {
        var progress = ExchangeProgress(
            hasBody: row.hasBody, isIdempotent: row.isIdempotent)
        for event in row.before { #expect(progress.on(event) == .goOn) }
        #expect(progress.on(row.event) == row.outcome)
    }

    @Test("what nobody can cause is a defect of ours, and ends the process")
    func defects() async {
        await #expect(processExitsWith: .failure) {
            var progress = ExchangeProgress(hasBody: false, isIdempotent: true)
            _ = progress.on(.requestEnded)
        }
        await #expect(processExitsWith: .failure) {
            var progress = ExchangeProgress(hasBody: false, isIdempotent: true)
            _ = progress.on(.answerEnded)
        }
    }
}
