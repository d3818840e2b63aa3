import COpenSSL
import Synchronization

/// The keys that session tickets are sealed with (RFC 5077 §4: AES-256 in CBC mode, and HMAC with
/// SHA-256), shared by all workers and listeners, so that a ticket is good at each of them. What is
/// in a ticket binds it to the listener's settings, not the key (`TLSServer`).
///
/// A key seals for `periodSeconds` and opens for as long again; a ticket that the one before opened
/// is renewed. Thus a key that is stolen opens the connections of a day at most (of TLS 1.2: TLS
/// 1.3 has a new secret for each).
public final class TicketKeys: Sendable {
    /// Where one key stands in its slot.
    private enum Layout {
        static let name = 0
        static let nameBytes = 16
        static let cipher = 16
        static let mac = 48
        static let keyBytes = 32
        static let bytes = 80
    }

    /// A slot is written to only when it stood unused since the rotation before the last: the
    /// current key and the one before take two, and the one that is written to another. A worker
    /// that found a key in use reads 80 bytes of it at once; it cannot take the twelve hours that
    /// the slot stays, and keys out of use are wiped a minute after the last that could find them.
    /// So readers need no lock, and what they read is not written to.
    private static let slots: UInt64 = 4
    private static let wipeDelaySeconds = 60

    /// What the control thread knows of the keys.
    private struct Schedule {
        var since: Int
        /// Slots of keys that open nothing any more, and since when.
        var retired: [(slot: UInt64, since: Int)] = []
    }

    // MARK: Immutable after start
    private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
    public let periodSeconds: Int

    // MARK: Any thread (atomic)
    /// The number of the current key, from 1; it is in slot `number % slots`.
    private let current = Atomic<UInt64>(0)

    // MARK: Control thread
    private let schedule: Mutex<Schedule>

    /// - Parameter nowSeconds: of any clock that does not go back; the same as `rotate`'s.
    public init(nowSeconds: Int, periodSeconds: Int = 43_200) {
        precondition(periodSeconds > Self.wipeDelaySeconds)
        self.periodSeconds = periodSeconds
        memory = .allocate(byteCount: Int(Self.slots) * Layout.bytes, alignment: 16)
        schedule = Mutex(Schedule(since: nowSeconds))
        addKey()
    }

    deinit {
        OPENSSL_cleanse(memory, Int(Self.slots) * Layout.bytes)
        memory.deallocate()
    }

    /// To be called every minute or so, by one thread: makes a new key when it is time, and wipes
    /// those whose time is over.
    public func rotate(nowSeconds: Int) {
        schedule.withLock { schedule in
            schedule.retired.removeAll { retired in
                guard nowSeconds - retired.since >= Self.wipeDelaySeconds else { return false }
                OPENSSL_cleanse(slot(retired.slot), Layout.bytes)
                return true
            }
            // After a sleep longer than two periods both keys are too old.
            let due = min(2, (nowSeconds - schedule.since) / periodSeconds)
            guard due > 0 else { return }
            for _ in 0..<due {
                let number = current.load(ordering: .relaxed)
                if number > 1 { schedule.retired.append((number - 1, nowSeconds)) }
                addKey()
            }
            schedule.since = nowSeconds
        }
    }

    private func slot(_ number: UInt64) -> UnsafeMutableRawPointer {
        memory + Int(number % Self.slots) * Layout.bytes
    }

    private func addKey() {
        let number = current.load(ordering: .relaxed) + 1
        // Without random numbers there is no TLS at all.
        guard RAND_priv_bytes(slot(number).assumingMemoryBound(to: UInt8.self), 80) == 1 else {
            fatalError("the system gives no random numbers")
        }
        current.store(number, ordering: .releasing)
    }

    // MARK: - Sealing and opening, on workers

    /// `SSL_CTX_set_tlsext_ticket_key_evp_cb(3)`.
    static let callback:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?,
            OpaquePointer?, OpaquePointer?, Int32
        ) -> Int32 = { ssl, name, vector, cipher, mac, isSealing in
            guard let keys = Attachment.of(ssl)?.tickets, let name, let vector else { return 0 }
            if isSealing == 1 { return keys.seal(name, vector, cipher, mac) }
            // A client of TLS 1.3 uses a ticket once (RFC 8446 §C.4), so without a new one its next
            // connection would be a full handshake.
            let result = keys.open(name, vector, cipher, mac)
            return result == 1 && SSL_version(ssl) == TLS1_3_VERSION ? 2 : result
        }

    private func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>,
        _ cipher: OpaquePointer?, _ mac: OpaquePointer?
    ) -> Int32 {
        let key = slot(current.load(ordering: .acquiring))
        guard RAND_bytes(vector, 16) == 1 else { return -1 }
        UnsafeMutableRawPointer(name).copyMemory(from: key, byteCount: Layout.nameBytes)
        guard
            EVP_EncryptInit_ex2(
                cipher, Algorithms.aes, bytes(key, Layout.cipher), vector, nil) == 1,
            Algorithms.setKey(of: mac, key + Layout.mac, Layout.keyBytes)
        else { return -1 }
        return 1
    }

    private func open(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>,
        _ cipher: OpaquePointer?, _ mac: OpaquePointer?
    ) -> Int32 {
        let number = current.load(ordering: .acquiring)
        for age in 0..<min(2, number) {
            let key = slot(number - age)
            guard CRYPTO_memcmp(name, key, Layout.nameBytes) == 0 else { continue }
            guard
                EVP_DecryptInit_ex2(
                    cipher, Algorithms.aes, bytes(key, Layout.cipher), vector, nil) == 1,
                Algorithms.setKey(of: mac, key + Layout.mac, Layout.keyBytes)
            else { return -1 }
            // 2 = good, and to be sealed anew.
            return age == 0 ? 1 : 2
        }
        return 0
    }

    private func bytes(
        _ key: UnsafeMutableRawPointer, _ offset: Int
    ) -> UnsafePointer<UInt8> {
        UnsafePointer((key + offset).assumingMemoryBound(to: UInt8.self))
    }
}

/// What tickets are sealed with, looked up once for the process and never freed
/// (`crypto(7)`, "explicit fetching").
private enum Algorithms {
    nonisolated(unsafe) static let aes: OpaquePointer? = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)
    private nonisolated(unsafe) static let digest = strdup("SHA256")
    private nonisolated(unsafe) static let digestName = strdup(OSSL_MAC_PARAM_DIGEST)
    private nonisolated(unsafe) static let keyName = strdup(OSSL_MAC_PARAM_KEY)

    static func setKey(
        of mac: OpaquePointer?, _ key: UnsafeMutableRawPointer, _ count: Int
    ) -> Bool {
        withUnsafeTemporaryAllocation(of: OSSL_PARAM.self, capacity: 3) { parameters in
            parameters[0] = OSSL_PARAM_construct_octet_string(keyName, key, count)
            parameters[1] = OSSL_PARAM_construct_utf8_string(digestName, digest, 0)
            parameters[2] = OSSL_PARAM_construct_end()
            return EVP_MAC_CTX_set_params(mac, parameters.baseAddress) == 1
        }
    }
}
