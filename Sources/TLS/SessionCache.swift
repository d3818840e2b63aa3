import COpenSSL
import Synchronization

/// Sessions that endpoints gave, to be resumed at the same endpoint with the same settings: each
/// `TLSClient` has one. Any thread. 64 buckets of four: an endpoint's sessions are in one bucket,
/// and the fifth takes the place of another.
///
/// A place is one atomic word with the only reference to what it holds: who swaps it out owns it.
/// So two workers never use the same object, nobody waits, and no lock is needed; what is lost is
/// that a session which one worker is just looking at is not found by another, which then makes a
/// full handshake.
final class SessionCache: Sendable {
    private static let buckets = 64
    private static let ways = 4

    /// A session and whose it is.
    private final class Entry {
        let endpoint: Endpoint
        let session: OpaquePointer

        init(_ endpoint: Endpoint, _ session: OpaquePointer) {
            self.endpoint = endpoint
            self.session = session
        }

        deinit { SSL_SESSION_free(session) }
    }

    /// Of whom a session is: noted with each `SSL *` of a client.
    final class Endpoint: Sendable {
        let name: String
        let bucket: Int

        init(_ name: String) {
            self.name = name
            bucket = Int(truncatingIfNeeded: UInt(bitPattern: name.hashValue) % UInt(buckets))
        }
    }

    // MARK: Any thread (atomic)
    private nonisolated(unsafe) let places: UnsafeMutablePointer<Atomic<UInt>>
    private let turn = Atomic<Int>(0)

    init() {
        places = .allocate(capacity: Self.buckets * Self.ways)
        for place in 0..<(Self.buckets * Self.ways) {
            (places + place).initialize(to: Atomic(0))
        }
    }

    deinit {
        for place in 0..<(Self.buckets * Self.ways) { _ = take(place) }
        places.deallocate()
    }

    /// A session of the endpoint's, for the caller to free. One of TLS 1.3 is gone from here, for a
    /// ticket that is used twice lets both connections be told to be one client's (RFC 8446 §C.4).
    func session(of endpoint: Endpoint) -> OpaquePointer? {
        for way in 0..<Self.ways {
            let place = endpoint.bucket * Self.ways + way
            guard let entry = take(place) else { continue }
            guard entry.endpoint.name == endpoint.name else {
                put(entry, place)
                continue
            }
            let session = entry.session
            SSL_SESSION_up_ref(session)
            if SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION { put(entry, place) }
            return session
        }
        return nil
    }

    /// - Parameter session: whose one reference is given away.
    func keep(_ session: OpaquePointer, of endpoint: Endpoint) {
        var place = endpoint.bucket * Self.ways
        if let free = (0..<Self.ways).first(where: {
            places[place + $0].load(ordering: .relaxed) == 0
        }) {
            place += free
        } else {
            place += turn.wrappingAdd(1, ordering: .relaxed).newValue & (Self.ways - 1)
        }
        put(Entry(endpoint, session), place)
    }

    private func take(_ place: Int) -> Entry? {
        let bits = places[place].exchange(0, ordering: .acquiringAndReleasing)
        return UnsafeRawPointer(bitPattern: bits)
            .map { Unmanaged<Entry>.fromOpaque($0).takeRetainedValue() }
    }

    private func put(_ entry: Entry, _ place: Int) {
        let bits = UInt(bitPattern: Unmanaged.passRetained(entry).toOpaque())
        let old = places[place].exchange(bits, ordering: .acquiringAndReleasing)
        if let old = UnsafeRawPointer(bitPattern: old) {
            Unmanaged<Entry>.fromOpaque(old).release()
        }
    }

    // MARK: - OpenSSL's side

    /// Where the endpoint stands in an `SSL`.
    static let index: Int32 = {
        let index = apus_ssl_index { _, pointer, _, _, _, _ in
            guard let pointer else { return }
            Unmanaged<Endpoint>.fromOpaque(pointer).release()
        }
        precondition(index >= 0, "no memory for an index")
        return index
    }()

    /// `SSL_CTX_sess_set_new_cb(3)`: 1 = the session is ours now.
    static let callback: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32 = {
        ssl, session in
        guard let ssl, let session, SSL_SESSION_is_resumable(session) == 1,
            let cache = Attachment.of(ssl)?.sessions,
            let endpoint = SSL_get_ex_data(ssl, index)
        else { return 0 }
        cache.keep(
            session, of: Unmanaged<Endpoint>.fromOpaque(endpoint).takeUnretainedValue())
        return 1
    }
}
