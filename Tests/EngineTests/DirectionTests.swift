import Testing

@testable import Engine

/// The relay machine: a table of every phase and event, and a walk over every state that can be
/// reached.
struct DirectionTests {
    /// A way into each phase.
    private static let paths: [Direction.Phase: [Direction.Event]] = [
        .idle: [],
        .copying: [.start],
        .blocked: [.start, .received(isFull: false, isLast: false), .forwarded(inFull: false)],
        .turning: [.start] + fullBuffers,
        .splicing: [.start] + fullBuffers + [.receiveStopped],
        .pouring: [.start] + fullBuffers + [.receiveStopped, .pumpedFull],
        .finished: [.start, .endOfStream],
    ]

    private static let fullBuffers = (0..<Direction.fullInRowToSplice).flatMap { _ in
        [Direction.Event.received(isFull: true, isLast: false), .forwarded(inFull: true)]
    }

    private static let events: [Direction.Event] = [
        .start, .startLoaded, .resume, .received(isFull: false, isLast: false),
        .received(isFull: true, isLast: true), .forwarded(inFull: true), .forwarded(inFull: false),
        .receiveStopped, .receiveOutOfBuffers, .endOfStream, .buffersReturned, .sent(isEmpty: true),
        .sent(isEmpty: false), .sourceReadable, .sinkWritable, .pumpedDry(isSmall: true),
        .pumpedDry(isSmall: false), .pumpedFull, .pumpedEnd(isPipeEmpty: true),
        .pumpedEnd(isPipeEmpty: false), .pipeRefused, .abandon,
    ]

    private static func direction(in phase: Direction.Phase) -> Direction {
        var direction = Direction(canSplice: true)
        for event in paths[phase] ?? [] { _ = direction.on(event) }
        return direction
    }

    struct Row: Sendable {
        let phase: Direction.Phase
        let event: Direction.Event
        let actions: Direction.Actions
        let next: Direction.Phase

        init(
            _ phase: Direction.Phase, _ event: Direction.Event, _ actions: Direction.Actions,
            _ next: Direction.Phase
        ) {
            (self.phase, self.event, self.actions, self.next) = (phase, event, actions, next)
        }
    }

    /// Every legal pair. What is not here traps.
    private static let table: [Row] = [
        Row(.idle, .start, .arm, .copying),
        Row(.idle, .startLoaded, [], .copying),
        Row(.idle, .buffersReturned, [], .idle),
        Row(.idle, .endOfStream, .shutdownSink, .finished),
        Row(.idle, .abandon, .dropHeld, .finished),

        Row(.copying, .received(isFull: false, isLast: false), .forward, .copying),
        Row(.copying, .received(isFull: true, isLast: true), .forward, .copying),
        Row(.copying, .forwarded(inFull: true), [], .copying),
        Row(
            .copying, .forwarded(inFull: false), [.enqueue, .startSend, .cancelReceive], .blocked),
        Row(.copying, .receiveStopped, .arm, .copying),
        Row(.copying, .receiveOutOfBuffers, .awaitBuffers, .copying),
        Row(.copying, .endOfStream, .shutdownSink, .finished),
        Row(.copying, .buffersReturned, [], .copying),
        Row(.copying, .abandon, [.dropHeld, .cancelReceive], .finished),

        Row(.blocked, .received(isFull: false, isLast: false), .enqueue, .blocked),
        Row(.blocked, .received(isFull: true, isLast: true), .enqueue, .blocked),
        Row(.blocked, .receiveStopped, [], .blocked),
        Row(.blocked, .receiveOutOfBuffers, [], .blocked),
        Row(.blocked, .endOfStream, [], .blocked),
        Row(.blocked, .buffersReturned, [], .blocked),
        Row(.blocked, .sent(isEmpty: true), [], .copying),
        Row(.blocked, .sent(isEmpty: false), .startSend, .blocked),
        Row(.blocked, .abandon, .dropHeld, .finished),

        Row(.turning, .received(isFull: false, isLast: false), [.enqueue, .startSend], .turning),
        Row(.turning, .received(isFull: true, isLast: true), [.enqueue, .startSend], .turning),
        Row(.turning, .receiveStopped, .pump, .splicing),
        Row(.turning, .receiveOutOfBuffers, .pump, .splicing),
        Row(.turning, .endOfStream, .shutdownSink, .finished),
        Row(.turning, .buffersReturned, [], .turning),
        Row(.turning, .sent(isEmpty: true), [], .turning),
        Row(.turning, .sent(isEmpty: false), .startSend, .turning),
        Row(.turning, .abandon, .dropHeld, .finished),

        Row(.splicing, .endOfStream, .shutdownSink, .finished),
        Row(.splicing, .buffersReturned, [], .splicing),
        Row(.splicing, .sourceReadable, .pump, .splicing),
        Row(.splicing, .pumpedDry(isSmall: true), .pollSource, .splicing),
        Row(.splicing, .pumpedDry(isSmall: false), .pollSource, .splicing),
        Row(.splicing, .pumpedFull, .pollSink, .pouring),
        Row(.splicing, .pumpedEnd(isPipeEmpty: true), .shutdownSink, .finished),
        Row(.splicing, .pumpedEnd(isPipeEmpty: false), .pollSink, .pouring),
        Row(.splicing, .pipeRefused, .arm, .copying),
        Row(.splicing, .abandon, .dropHeld, .finished),

        Row(.pouring, .endOfStream, .shutdownSink, .finished),
        Row(.pouring, .buffersReturned, [], .pouring),
        Row(.pouring, .sinkWritable, .pump, .pouring),
        Row(.pouring, .pumpedDry(isSmall: true), .pollSource, .splicing),
        Row(.pouring, .pumpedDry(isSmall: false), .pollSource, .splicing),
        Row(.pouring, .pumpedFull, .pollSink, .pouring),
        Row(.pouring, .pumpedEnd(isPipeEmpty: true), .shutdownSink, .finished),
        Row(.pouring, .pumpedEnd(isPipeEmpty: false), .pollSink, .pouring),
        Row(.pouring, .abandon, .dropHeld, .finished),

        Row(.finished, .received(isFull: false, isLast: false), .discard, .finished),
        Row(.finished, .received(isFull: true, isLast: true), .discard, .finished),
        Row(.finished, .receiveStopped, [], .finished),
        Row(.finished, .receiveOutOfBuffers, [], .finished),
        Row(.finished, .endOfStream, [], .finished),
        Row(.finished, .buffersReturned, [], .finished),
        Row(.finished, .sent(isEmpty: true), [], .finished),
        Row(.finished, .sent(isEmpty: false), [], .finished),
        Row(.finished, .sourceReadable, [], .finished),
        Row(.finished, .sinkWritable, [], .finished),
        Row(.finished, .abandon, [], .finished),
    ]

    @Test("each legal event leads to the listed phase and actions", arguments: table)
    func legalPair(row: Row) {
        var direction = Self.direction(in: row.phase)
        #expect(direction.phase == row.phase)
        #expect(direction.on(row.event) == row.actions)
        #expect(direction.phase == row.next)
    }

    @Test("an event that the phase does not allow traps")
    func illegalPairsTrap() async {
        await #expect(processExitsWith: .failure) {
            var direction = Direction(canSplice: true)
            _ = direction.on(.start)
            _ = direction.on(.sinkWritable)
        }
        await #expect(processExitsWith: .failure) {
            var direction = Direction(canSplice: true)
            _ = direction.on(.start)
            _ = direction.on(.sent(isEmpty: true))
        }
        await #expect(processExitsWith: .failure) {
            var direction = Direction(canSplice: true)
            _ = direction.on(.start)
            _ = direction.on(.start)
        }
    }

    @Test("every phase is in the table, and every event")
    func tableIsWhole() {
        for phase in Direction.Phase.allCases {
            #expect(Self.table.contains { $0.phase == phase })
        }
        for event in Self.events {
            let isListed = Self.table.contains { $0.event == event }
            // `resume` needs a loaded start, which no path above has.
            #expect(isListed || event == .resume)
        }
    }

    // MARK: - The walk

    /// A direction with what the kernel and the worker still owe it.
    private struct World: Hashable {
        var direction = Direction(canSplice: true)
        /// `.forward` or `.pump` waits for its report.
        var report: Direction.Actions = []
        var isPolled = false
    }

    /// The events that can happen in a world.
    private static func possible(in world: World) -> [Direction.Event] {
        let direction = world.direction
        if world.report.contains(.forward) {
            return [.forwarded(inFull: true), .forwarded(inFull: false)]
        }
        if world.report.contains(.pump) {
            if direction.isSourceEnded {
                return [.pumpedEnd(isPipeEmpty: true), .pumpedEnd(isPipeEmpty: false)]
            }
            let refusal: [Direction.Event] = direction.phase == .splicing ? [.pipeRefused] : []
            return refusal + [
                .pumpedDry(isSmall: true), .pumpedDry(isSmall: false), .pumpedFull,
                .pumpedEnd(isPipeEmpty: true), .pumpedEnd(isPipeEmpty: false),
            ]
        }
        guard direction.phase != .idle else { return [.start] }
        var events: [Direction.Event] = direction.phase == .finished ? [] : [.abandon]
        if direction.receive == .armed || direction.receive == .cancelling {
            events += [
                .received(isFull: true, isLast: false), .received(isFull: false, isLast: false),
                .received(isFull: true, isLast: true), .receiveOutOfBuffers, .receiveStopped,
                .endOfStream,
            ]
        }
        if direction.receive == .starved { events.append(.buffersReturned) }
        if direction.holdsBytes { events += [.sent(isEmpty: true), .sent(isEmpty: false)] }
        if world.isPolled {
            if direction.phase == .splicing { events.append(.sourceReadable) }
            if direction.phase == .pouring { events.append(.sinkWritable) }
        }
        return events
    }

    private static func step(_ world: World, _ event: Direction.Event) -> World {
        var next = world
        let actions = next.direction.on(event)
        next.report = actions.intersection([.forward, .pump])
        if event == .sourceReadable || event == .sinkWritable { next.isPolled = false }
        if !actions.isDisjoint(with: [.pollSource, .pollSink]) { next.isPolled = true }
        if next.direction.phase == .finished { next.isPolled = false }
        return next
    }

    @Test("in every state that can be reached something in flight will wake the direction")
    func walk() {
        var seen: Set<World> = [World()]
        var frontier = [World()]
        while let world = frontier.popLast() {
            check(world)
            for event in Self.possible(in: world) {
                let next = Self.step(world, event)
                if seen.insert(next).inserted { frontier.append(next) }
            }
        }
        #expect(seen.count > 1000, "the walk reaches many states: \(seen.count)")
        #expect(
            Direction.Phase.allCases.allSatisfy { phase in
                seen.contains { $0.direction.phase == phase }
            })
    }

    private func check(_ world: World) {
        let direction = world.direction
        switch direction.phase {
        case .splicing, .pouring:
            #expect(direction.receive == .none, "nothing is received beside a pipe")
            #expect(!direction.holdsBytes, "what was held went before")
            #expect(world.isPolled || world.report == .pump, "somebody will wake it")
        case .blocked:
            #expect(direction.holdsBytes, "blocked means that bytes are held")
        case .copying:
            #expect(!direction.holdsBytes)
            #expect(
                direction.receive != .none || world.report == .forward,
                "somebody will wake it: \(direction)")
        case .turning:
            #expect(
                direction.holdsBytes || direction.receive == .cancelling,
                "somebody will wake it: \(direction)")
        case .idle, .finished:
            break
        }
    }
}
