import CNghttp2

/// How nghttp2 comes back to the session that has called it. The mark of a stream is its place and
/// one, so that none is nil.
enum HTTP2Callbacks {
    static func mark(_ place: UInt32) -> UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: UInt(place) + 1)
    }

    static func place(_ mark: UnsafeMutableRawPointer?) -> UInt32? {
        mark.map { UInt32(truncatingIfNeeded: UInt(bitPattern: $0) - 1) }
    }

    private static func user(_ data: UnsafeMutableRawPointer?) -> HTTP2Session {
        guard let data else { preconditionFailure("the user data come back") }
        return Unmanaged<HTTP2Session>.fromOpaque(data).takeUnretainedValue()
    }

    static func makeSession(_ role: HTTP2Session.Role) -> OpaquePointer {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        var session: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks,
            nghttp2_option_new(&option) == 0, let option
        else { fatalError("no memory for a session of HTTP/2") }
        defer {
            nghttp2_session_callbacks_del(callbacks)
            nghttp2_option_del(option)
        }
        fill(callbacks)
        // A window opens when the content has gone on, not when it has come.
        nghttp2_option_set_no_auto_window_update(option, 1)
        nghttp2_option_set_no_closed_streams(option, 1)
        // The session's user is found by its data, which its owner sets.
        let result =
            role == .server
            ? nghttp2_session_server_new2(&session, callbacks, nil, option)
            : nghttp2_session_client_new2(&session, callbacks, nil, option)
        guard result == 0, let session else { fatalError("no memory for a session of HTTP/2") }
        return session
    }

    static func provider(_ place: UInt32) -> nghttp2_data_provider {
        var provider = nghttp2_data_provider()
        provider.source.ptr = mark(place)
        provider.read_callback = { _, _, target, count, flags, source, data in
            guard let place = HTTP2Callbacks.place(source?.pointee.ptr), let target, let flags
            else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
            return HTTP2Callbacks.user(data).give(
                place, into: UnsafeMutableRawBufferPointer(start: target, count: count), flags)
        }
        return provider
    }

    private static func fill(_ callbacks: OpaquePointer) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) {
            session, frame, data in
            guard let frame else { return 0 }
            let id = frame.pointee.hd.stream_id
            HTTP2Callbacks.user(data).sectionBegan(
                id, nghttp2_session_get_stream_user_data(session, id),
                isRequest: frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST)
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameCount, value, valueCount, _, data in
            HTTP2Callbacks.user(data).fieldCame(
                UnsafeRawBufferPointer(start: name, count: nameCount),
                UnsafeRawBufferPointer(start: value, count: valueCount))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, data in
            guard let frame else { return 0 }
            let header = frame.pointee.hd
            let isLast = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            switch UInt32(header.type) {
            case NGHTTP2_HEADERS.rawValue:
                HTTP2Callbacks.user(data).sectionEnded(
                    nghttp2_session_get_stream_user_data(session, header.stream_id),
                    isLast: isLast)
            case NGHTTP2_DATA.rawValue where isLast:
                HTTP2Callbacks.user(data).inputEnded(
                    nghttp2_session_get_stream_user_data(session, header.stream_id),
                    hasTrailers: false)
            case NGHTTP2_SETTINGS.rawValue:
                let isAnswer = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
                if !isAnswer { HTTP2Callbacks.user(data).peerSettled() }
            case NGHTTP2_GOAWAY.rawValue: HTTP2Callbacks.user(data).peerGoesAway()
            default: break
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { session, frame, data in
            guard let frame else { return 0 }
            let header = frame.pointee.hd
            let type = UInt32(header.type)
            guard header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
                type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue
            else { return 0 }
            HTTP2Callbacks.user(data).outputEnded(
                header.stream_id,
                nghttp2_session_get_stream_user_data(session, header.stream_id))
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            session, _, id, bytes, count, data in
            HTTP2Callbacks.user(data).dataCame(
                nghttp2_session_get_stream_user_data(session, id), id,
                UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
            session, id, error, data in
            HTTP2Callbacks.user(data).streamClosed(
                nghttp2_session_get_stream_user_data(session, id), error: error)
            return 0
        }
    }
}
