import CNghttp2
import Primitives

/// One request by HTTP/2 with prior knowledge (RFC 9113 §3.3), and the answer judged as it comes:
/// nghttp2 makes bytes of frames and frames of bytes, and sees no socket. Owned by an attempt.
final class HTTP2Session: Exchange {
    /// Who judges.
    enum Judge {
        case http(HTTPExpectation)
        case grpc(GRPCAnswer)
    }

    private let session: OpaquePointer
    private let request: HTTP2Request
    private var sentOfBody = 0
    private var judge: Judge
    private var isStatusJudged = false
    private var outcome: CheckOutcome?

    init(_ request: HTTP2Request, _ judge: Judge) {
        self.request = request
        self.judge = judge
        var callbacks: OpaquePointer?
        var session: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else {
            fatalError("no memory for a session of HTTP/2")
        }
        defer { nghttp2_session_callbacks_del(callbacks) }
        Self.fill(callbacks)
        // The session sees its user only while one of the functions below is on the stack.
        guard nghttp2_session_client_new(&session, callbacks, nil) == 0, let session else {
            fatalError("no memory for a session of HTTP/2")
        }
        self.session = session
        nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        submit()
    }

    deinit { nghttp2_session_del(session) }

    private static func user(_ data: UnsafeMutableRawPointer?) -> HTTP2Session {
        guard let data else { preconditionFailure("the user data come back") }
        return Unmanaged<HTTP2Session>.fromOpaque(data).takeUnretainedValue()
    }

    private static func fill(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, data in
            let name = UnsafeBufferPointer(start: name, count: nameCount)
            let value = UnsafeBufferPointer(start: value, count: valueCount)
            HTTP2Session.user(data).receive(
                String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, _, bytes, count, data in
            HTTP2Session.user(data).receive(
                body: UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, _, code, data in
            HTTP2Session.user(data).finish(code)
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
            guard let frame, Int(frame.pointee.hd.type) == Int(NGHTTP2_GOAWAY.rawValue) else {
                return 0
            }
            HTTP2Session.user(data).leave(frame.pointee.goaway.error_code)
            return 0
        }
    }

    // MARK: - The request

    private func submit() {
        var settings = nghttp2_settings_entry(
            settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0)
        precondition(
            nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), &settings, 1) == 0)
        var text: [UInt8] = []
        for (name, value) in request.fields { text += Array(name.utf8) + Array(value.utf8) }
        let stream = text.withUnsafeMutableBufferPointer { text in
            var place = text.baseAddress
            let fields = request.fields.map { name, value in
                let start = place
                place = place.map { $0 + name.utf8.count + value.utf8.count }
                return nghttp2_nv(
                    name: start, value: start.map { $0 + name.utf8.count },
                    namelen: name.utf8.count, valuelen: value.utf8.count,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            guard !request.body.isEmpty else {
                return nghttp2_submit_request(session, nil, fields, fields.count, nil, nil)
            }
            var body = nghttp2_data_provider()
            body.read_callback = { _, _, target, count, flags, _, data in
                HTTP2Session.user(data).giveBody(target, count, flags)
            }
            return nghttp2_submit_request(session, nil, fields, fields.count, &body, nil)
        }
        precondition(stream > 0, "a request can be submitted: \(stream)")
    }

    private func giveBody(
        _ target: UnsafeMutablePointer<UInt8>?, _ room: Int, _ flags: UnsafeMutablePointer<UInt32>?
    ) -> Int {
        let count = min(room, request.body.count - sentOfBody)
        request.body[sentOfBody..<sentOfBody + count].withUnsafeBufferPointer { bytes in
            if let start = bytes.baseAddress { target?.update(from: start, count: count) }
        }
        sentOfBody += count
        if sentOfBody == request.body.count {
            flags?.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue)
        }
        return count
    }

    // MARK: - The answer

    private func receive(_ name: String, _ value: String) {
        guard outcome == nil else { return }
        switch judge {
        case .grpc(var answer):
            answer.on(header: name, value)
            judge = .grpc(answer)
        case .http(var expectation):
            // Interim responses go before the final one (RFC 9113 §8.1).
            guard name == ":status", let status = UInt16(value), status >= 200 else { return }
            isStatusJudged = true
            outcome = expectation.on(status: status)
            judge = .http(expectation)
        }
    }

    private func receive(body: UnsafeRawBufferPointer) {
        guard outcome == nil else { return }
        switch judge {
        case .grpc(var answer):
            answer.on(body: body)
            judge = .grpc(answer)
        case .http(var expectation):
            outcome = expectation.on(body: body)
            judge = .http(expectation)
        }
    }

    /// The stream is closed.
    private func finish(_ code: UInt32) {
        guard outcome == nil else { return }
        guard code == NGHTTP2_NO_ERROR.rawValue else {
            outcome = .failed(.http2(code: code))
            return
        }
        switch judge {
        case .grpc(let answer): outcome = answer.outcome()
        case .http(let expectation):
            outcome = isStatusJudged ? expectation.end() : .failed(.closedEarly)
        }
    }

    /// GOAWAY. Without an error the request may still be answered (RFC 9113 §6.8).
    private func leave(_ code: UInt32) {
        guard outcome == nil, code != NGHTTP2_NO_ERROR.rawValue else { return }
        outcome = .failed(.http2(code: code))
    }

    // MARK: - Exchange

    func takeOutput() -> [UInt8] {
        var output: [UInt8] = []
        while true {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &bytes)
            // Below zero only without memory; then nothing more is said, and time runs out.
            guard count > 0, let bytes else { return output }
            output += UnsafeBufferPointer(start: bytes, count: count)
        }
    }

    /// When the session has said that it ends, as after bytes that are no HTTP/2, it waits for
    /// nothing any more.
    func sent() -> CheckOutcome? {
        if outcome == nil, nghttp2_session_want_read(session) == 0 {
            outcome = .failed(.http2(code: UInt32(NGHTTP2_PROTOCOL_ERROR.rawValue)))
        }
        return outcome
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> CheckOutcome? {
        let count = nghttp2_session_mem_recv(
            session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        if outcome == nil, count < 0 {
            outcome = .failed(.http2(code: UInt32(NGHTTP2_PROTOCOL_ERROR.rawValue)))
        }
        return outcome
    }

    func end() -> CheckOutcome { outcome ?? .failed(.closedEarly) }

    static func name(ofError code: UInt32) -> String {
        String(cString: nghttp2_http2_strerror(code))
    }
}
