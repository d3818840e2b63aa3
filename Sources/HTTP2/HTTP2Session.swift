import CNghttp2
import Primitives
import Routing

/// One connection of HTTP/2 (RFC 9113), as bytes in and events out, and heads and content in and
/// bytes out: nghttp2 between two memories, with no socket and no clock. Owned by one thread.
///
/// Who uses it gives what was received to `receive` until all of it is taken, and asks for each
/// call's events before the next; writes to streams when it likes; and sends what `output` gives.
public final class HTTP2Session {
    /// Which end this is.
    public enum Role: Sendable {
        /// Of a client's connection: requests are received.
        case server
        /// Of an endpoint's.
        case client
    }

    /// What a call of `receive` came to.
    public enum Reception {
        /// So many bytes are done with, at least one where any were given.
        case taken(Int)
        /// The peer has broken the protocol, or overdone it: nothing more is read. What `output`
        /// gives says so to the peer.
        case failed(HTTP2Flood?)
    }

    public static let noUser = UInt32.max

    public let role: Role
    /// What waits to be sent by one stream, beyond which `isFull` is true.
    public static let outgoingMax = 32 << 10

    private let session: OpaquePointer
    private var boundary: FrameBoundary
    private var floods: FloodGuard
    private var second: UInt64 = 0
    private var hasFailed = false
    /// Of a client's streams, whatever its peer takes.
    private let streamsMax: UInt32

    // MARK: Streams
    private var streams = StreamTable()
    /// How many are open, as far as nghttp2 has said.
    public var streamCount: Int { streams.count }

    // MARK: What is being received
    private var text: HeadText
    /// Of the stream whose field section is being read.
    private var isReadingTrailers = false
    private var trailerText: HeadText
    private var events: [HTTP2Event] = []
    private var nextPlace = 0

    // MARK: What is being sent
    private var list = FieldList()
    /// What nghttp2 gave and did not fit; valid until it is asked again.
    private var pending = UnsafeRawBufferPointer(start: nil, count: 0)
    /// A server's peer was told that soon no more streams are taken.
    public private(set) var isGoingAnnounced = false
    /// One of both has said that it takes no more streams.
    public private(set) var isGoingAway = false

    /// - Parameter headBytesMax: of a head received, as text.
    public init(_ role: Role, _ plan: HTTP2Plan, headBytesMax: Int) {
        self.role = role
        streamsMax = plan.streamsMax
        boundary = FrameBoundary(preface: role == .server ? 24 : 0)
        floods = FloodGuard(sectionBytesMax: UInt32(2 * headBytesMax))
        text = HeadText(bytesMax: headBytesMax)
        trailerText = HeadText(bytesMax: 8 << 10)
        session = HTTP2Callbacks.makeSession(role)
        events.reserveCapacity(8)
        nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        submitSettings(plan, headBytesMax: headBytesMax)
    }

    deinit {
        nghttp2_session_del(session)
    }

    private func submitSettings(_ plan: HTTP2Plan, headBytesMax: Int) {
        var settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: plan.streamWindowBytes),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(headBytesMax)),
        ]
        if role == .server {
            settings.append(
                nghttp2_settings_entry(
                    settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                    value: plan.streamsMax))
        } else {
            settings.append(
                nghttp2_settings_entry(
                    settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0))
        }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        precondition(nghttp2_submit_settings(session, none, settings, settings.count) == 0)
        _ = nghttp2_session_set_local_window_size(
            session, none, 0, Int32(clamping: max(plan.connectionWindowBytes, 65_535)))
    }

    // MARK: - Receiving

    /// Takes bytes up to the end of a frame, or further while there is nothing to tell.
    /// - Parameter second: of any clock that only goes forward.
    public func receive(_ bytes: UnsafeRawBufferPointer, second: UInt64) -> Reception {
        while nextEvent() != nil {}
        if second != self.second {
            self.second = second
            floods.noteSecond()
        }
        guard !hasFailed else { return .failed(nil) }
        var taken = 0
        while taken < bytes.count, events.isEmpty {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
            let part = boundary.next(rest)
            if let header = part.header, let flood = floods.note(header) {
                hasFailed = true
                terminate(HTTP2Error.enhanceYourCalm)
                return .failed(flood)
            }
            let start = rest.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let result = nghttp2_session_mem_recv(session, start, part.count)
            guard result == part.count else {
                hasFailed = true
                // nghttp2 has queued a GOAWAY where the protocol has one for it.
                if result < 0 { terminate(HTTP2Error.protocolError) }
                return .failed(nil)
            }
            taken += part.count
        }
        return .taken(taken)
    }

    /// What the last call of `receive` or `output` has to tell, in its order.
    public func nextEvent() -> HTTP2Event? {
        if nextPlace > 0, case .closed(let stream, _) = events[nextPlace - 1] {
            streams.free(stream)
        }
        guard nextPlace < events.count else {
            events.removeAll(keepingCapacity: true)
            nextPlace = 0
            return nil
        }
        nextPlace += 1
        return events[nextPlace - 1]
    }

    /// The head that was told of last: text as a parser of HTTP/1 reads it.
    public var head: UnsafeRawBufferPointer { text.bytes }

    /// What came behind the content that ended last: lines `name: value` CR LF; empty = nothing.
    public var trailers: UnsafeRawBufferPointer { trailerText.bytes }

    /// So much of a stream's content has been used, and its peer may send as much again.
    public func consume(_ stream: UInt32, _ count: Int) {
        guard count > 0 else { return }
        let id = streams[stream].pointee.id
        _ = nghttp2_session_consume(session, id, count)
    }

    /// As `consume`, of a stream that was closed meanwhile.
    public func consumeClosed(_ count: Int) {
        guard count > 0 else { return }
        _ = nghttp2_session_consume_connection(session, count)
    }

    // MARK: - Streams

    /// Whose a stream is.
    public func setUser(_ user: UInt32, of stream: UInt32) {
        streams[stream].pointee.user = user
    }

    public func user(of stream: UInt32) -> UInt32 { streams[stream].pointee.user }

    /// The user of the first stream at or behind `place` that has one; `place` becomes the next.
    public func nextUser(from place: inout UInt32) -> UInt32? {
        while place < streams.capacity {
            let stream = streams[place].pointee
            place += 1
            if stream.id != 0, stream.user != Self.noUser { return stream.user }
        }
        return nil
    }

    /// The peer has said what it takes (RFC 9113 section 3.4): before that it may refuse streams.
    public private(set) var isSettled = false

    /// How many more streams can be opened now; only a client opens any.
    public var room: Int {
        guard !hasFailed, !isGoingAway, nghttp2_session_check_request_allowed(session) != 0 else {
            return 0
        }
        let limit = nghttp2_session_get_remote_settings(
            session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return max(0, Int(min(limit, streamsMax)) - streamCount)
    }

    // MARK: - Sending

    /// Opens a stream with a request.
    /// - Parameters:
    ///   - text: a head as HTTP/1 has it; its names become lowercase.
    ///   - isLast: nothing follows it.
    /// - Returns: nil = the connection takes no more.
    public func submitRequest(
        _ text: UnsafeMutableRawBufferPointer, isSecure: Bool, isLast: Bool, user: UInt32
    ) -> UInt32? {
        list.setRequest(text, isSecure: isSecure)
        let place = streams.claim(-1, user: user)
        let id = withContent(of: place, isLast: isLast) {
            nghttp2_submit_request(
                session, nil, list.fields, list.fields.count, $0, HTTP2Callbacks.mark(place))
        }
        guard id > 0 else {
            streams.free(place)
            return nil
        }
        streams[place].pointee.id = id
        streams[place].pointee.isOutputEnded = isLast
        return place
    }

    /// - Parameter text: a final answer's head.
    public func submitAnswer(
        _ text: UnsafeMutableRawBufferPointer, by stream: UInt32, isLast: Bool
    ) {
        list.setAnswer(text)
        let state = streams[stream]
        state.pointee.isOutputEnded = isLast
        let result = withContent(of: stream, isLast: isLast) {
            nghttp2_submit_response(
                session, state.pointee.id, list.fields, list.fields.count, $0)
        }
        precondition(result != NGHTTP2_ERR_DATA_EXIST.rawValue, "a request is answered once")
    }

    private func withContent(
        of place: UInt32, isLast: Bool,
        _ submit: (UnsafePointer<nghttp2_data_provider>?) -> Int32
    ) -> Int32 {
        guard !isLast else { return submit(nil) }
        return withUnsafePointer(to: HTTP2Callbacks.provider(place)) { submit($0) }
    }

    /// - Parameter text: a head with a status of 100 to 199.
    public func submitInterim(_ text: UnsafeMutableRawBufferPointer, by stream: UInt32) {
        list.setAnswer(text)
        _ = nghttp2_submit_headers(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), streams[stream].pointee.id, nil,
            list.fields, list.fields.count, nil)
    }

    /// Content, behind what waits. It is copied.
    public func write(_ bytes: UnsafeRawBufferPointer, to stream: UInt32) {
        let state = streams[stream]
        assert(!state.pointee.isOutputEnded, "nothing follows the end")
        state.pointee.append(bytes)
        resume(state)
    }

    /// Nothing more is written by this stream.
    /// - Parameter trailers: lines `name: value` CR LF.
    public func end(_ stream: UInt32, trailers: UnsafeRawBufferPointer? = nil) {
        let state = streams[stream]
        guard !state.pointee.isOutputEnded else { return }
        state.pointee.isOutputEnded = true
        if let trailers, trailers.count > 0 {
            state.pointee.append(trailers)
            state.pointee.count -= UInt32(trailers.count)
            state.pointee.trailerCount = UInt32(trailers.count)
        }
        resume(state)
    }

    private func resume(_ state: UnsafeMutablePointer<HTTP2Stream>) {
        guard state.pointee.isDeferred else { return }
        state.pointee.isDeferred = false
        _ = nghttp2_session_resume_data(session, state.pointee.id)
    }

    /// Whether so much waits that no more should be written before `drained`.
    public func isFull(_ stream: UInt32) -> Bool {
        let state = streams[stream]
        guard state.pointee.count >= Self.outgoingMax else { return false }
        state.pointee.isFull = true
        return true
    }

    /// Ends a stream at once and forgets its user; what waits is dropped.
    public func reset(_ stream: UInt32, _ error: UInt32) {
        let state = streams[stream]
        state.pointee.user = Self.noUser
        state.pointee.clear(all: false)
        _ = nghttp2_submit_rst_stream(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), state.pointee.id, error)
    }

    /// The caller has no more to do with a stream: one by which both sides have said all ends when
    /// that is sent, any other at once.
    /// - Parameter error: what the peer of such a one is told.
    public func leave(_ stream: UInt32, unfinished error: UInt32) {
        let state = streams[stream]
        // A server whose answer is whole has no use for the rest of the request.
        guard state.pointee.isOutputEnded, role == .server || state.pointee.isInputEnded else {
            return reset(stream, error)
        }
        state.pointee.user = Self.noUser
    }

    /// Tells the peer that soon no more streams are taken. Those that are on their way until then
    /// are (RFC 9113 section 6.8); `goAway` follows when it has had time to hear it.
    public func announceGoing() {
        guard !isGoingAway, !isGoingAnnounced else { return }
        isGoingAnnounced = true
        _ = nghttp2_submit_shutdown_notice(session)
    }

    /// Tells the peer that no more streams are taken; those that are there go on (RFC 9113 section
    /// 6.8).
    public func goAway() {
        guard !isGoingAway else { return }
        isGoingAway = true
        let last = nghttp2_session_get_last_proc_stream_id(session)
        _ = nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2Error.none, nil, 0)
    }

    private func terminate(_ error: UInt32) {
        _ = nghttp2_session_terminate_session(session, error)
    }

    /// Whether there is nothing more to send nor to receive: the connection can be closed.
    public var isOver: Bool {
        pending.isEmpty && nghttp2_session_want_read(session) == 0
            && nghttp2_session_want_write(session) == 0
    }

    public var wantsToSend: Bool {
        !pending.isEmpty || nghttp2_session_want_write(session) != 0
    }

    /// What is to be sent next.
    /// - Returns: how many bytes were written; 0 = there is nothing. Events may follow from it.
    public func output(into target: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        while count < target.count {
            if pending.isEmpty {
                var start: UnsafePointer<UInt8>?
                let result = nghttp2_session_mem_send(session, &start)
                guard result > 0, let start else {
                    if result < 0 { hasFailed = true }
                    break
                }
                pending = UnsafeRawBufferPointer(start: start, count: result)
            }
            let part = min(pending.count, target.count - count)
            UnsafeMutableRawBufferPointer(rebasing: target[count..<(count + part)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: pending[..<part]))
            pending = UnsafeRawBufferPointer(rebasing: pending[part...])
            count += part
        }
        return count
    }

    // MARK: - What nghttp2 calls

    func sectionBegan(_ id: Int32, _ mark: UnsafeMutableRawPointer?, isRequest: Bool) {
        let place: UInt32
        if isRequest {
            place = streams.claim(id, user: Self.noUser)
            nghttp2_session_set_stream_user_data(session, id, HTTP2Callbacks.mark(place))
        } else if let known = HTTP2Callbacks.place(mark) {
            place = known
        } else {
            return
        }
        isReadingTrailers = streams[place].pointee.isHeadRead
        if isReadingTrailers { trailerText.clear() } else { text.clear() }
    }

    func fieldCame(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        if isReadingTrailers { trailerText.add(name, value) } else { text.add(name, value) }
    }

    func sectionEnded(_ mark: UnsafeMutableRawPointer?, isLast: Bool) {
        guard let place = HTTP2Callbacks.place(mark) else { return }
        let stream = streams[place]
        if stream.pointee.isHeadRead {
            trailerText.finishTrailers()
            if isLast { inputEnded(mark, hasTrailers: true) }
            return
        }
        text.finish()
        if text.isTooLong {
            stream.pointee.isHeadRead = true
            return events.append(.headTooLong(stream: place))
        }
        stream.pointee.isHeadRead = role == .server || !text.isInterim
        if isLast { stream.pointee.isInputEnded = true }
        events.append(.head(stream: place, isLast: isLast))
    }

    func dataCame(_ mark: UnsafeMutableRawPointer?, _ id: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let place = HTTP2Callbacks.place(mark),
            streams[place].pointee.user != Self.noUser
        else {
            // Nobody wants it; the stream's own window stays closed.
            _ = nghttp2_session_consume_connection(session, bytes.count)
            return
        }
        events.append(.data(stream: place, bytes: bytes))
    }

    func inputEnded(_ mark: UnsafeMutableRawPointer?, hasTrailers: Bool) {
        guard let place = HTTP2Callbacks.place(mark) else { return }
        let stream = streams[place]
        guard !stream.pointee.isInputEnded else { return }
        if !hasTrailers { trailerText.clear() }
        stream.pointee.isInputEnded = true
        events.append(.ended(stream: place))
    }

    func streamClosed(_ mark: UnsafeMutableRawPointer?, error: UInt32) {
        guard let place = HTTP2Callbacks.place(mark) else { return }
        if error == HTTP2Error.none { floods.noteFinished() }
        events.append(.closed(stream: place, error: error))
    }

    /// The end of what this side says by a stream has left. Who still sends a request that was
    /// answered is told that nobody reads it (RFC 9113 section 8.1).
    func outputEnded(_ id: Int32, _ mark: UnsafeMutableRawPointer?) {
        guard role == .server, let place = HTTP2Callbacks.place(mark),
            streams[place].pointee.user == Self.noUser, !streams[place].pointee.isInputEnded
        else { return }
        _ = nghttp2_submit_rst_stream(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, HTTP2Error.none)
    }

    func peerSettled() {
        guard !isSettled else { return }
        isSettled = true
        events.append(.settled)
    }

    func peerGoesAway() {
        isGoingAway = true
        events.append(.goingAway)
    }

    /// nghttp2 asks for content.
    func give(
        _ place: UInt32, into target: UnsafeMutableRawBufferPointer,
        _ flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let stream = streams[place]
        let count = stream.pointee.take(into: target)
        if stream.pointee.isFull, stream.pointee.count < Self.outgoingMax / 2 {
            stream.pointee.isFull = false
            events.append(.drained(stream: place))
        }
        guard stream.pointee.count == 0 else { return count }
        guard stream.pointee.isOutputEnded else {
            if count == 0 {
                stream.pointee.isDeferred = true
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
            return count
        }
        flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
        if stream.pointee.trailerCount > 0, let memory = stream.pointee.outgoing {
            flags.pointee |= UInt32(NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue)
            list.setTrailers(
                UnsafeMutableRawBufferPointer(
                    start: memory + Int(stream.pointee.start),
                    count: Int(stream.pointee.trailerCount)))
            _ = nghttp2_submit_trailer(
                session, stream.pointee.id, list.fields, list.fields.count)
            stream.pointee.trailerCount = 0
        }
        return count
    }
}
