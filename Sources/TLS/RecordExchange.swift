import COpenSSL

/// Where the sessions of one worker read their records from and write them to: two windows of
/// memory, and one BIO over them that all these sessions share, so that a connection has no BIO of
/// its own. What OpenSSL writes lies in `output` as one piece, however many records it is, so that
/// one send takes it. Worker thread only.
///
/// A session must not be stepped when its exchange is gone; it may be freed.
public struct RecordExchange: ~Copyable {
    let bio: OpaquePointer
    private let windows: UnsafeMutablePointer<RecordWindows>

    /// - Parameter outputBytes: what one step may write, taken once; `output` never grows. The most
    ///   that a handshake writes at once is its certificate chain.
    public init(outputBytes: Int) {
        precondition(outputBytes >= TLSSession.outputBytes(for: 0))
        windows = .allocate(capacity: 1)
        windows.initialize(to: RecordWindows(outputBytes: outputBytes))
        guard let bio = BIO_new(RecordWindows.method) else { fatalError("no memory for a BIO") }
        BIO_set_data(bio, windows)
        BIO_set_init(bio, 1)
        self.bio = bio
    }

    deinit {
        // Sessions that are still there hold the BIO, and find nothing in it.
        BIO_set_data(bio, nil)
        BIO_free(bio)
        windows.pointee.output.deallocate()
        windows.deallocate()
    }

    /// What the next steps read; it must stay where it is until they have. A step consumes all of
    /// it unless it fails, returns plaintext, or has no room for what it writes.
    public mutating func setInput(_ bytes: UnsafeRawBufferPointer) {
        windows.pointee.input = bytes.baseAddress
        windows.pointee.inputLeft = bytes.count
    }

    /// Bytes of the input that no step has read yet.
    public var inputLeft: Int { windows.pointee.inputLeft }

    /// Records that steps wrote since the last `clearOutput`; valid until the next step.
    public var output: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: windows.pointee.output, count: windows.pointee.outputCount)
    }

    /// Bytes that fit into `output` yet.
    public var outputRoom: Int { windows.pointee.outputRoom }

    public mutating func clearOutput() {
        windows.pointee.outputCount = 0
    }
}

/// The memory behind a `RecordExchange`, as its BIO sees it: the data of the BIO. Worker thread
/// only.
struct RecordWindows {
    var input: UnsafeRawPointer?
    var inputLeft = 0
    let output: UnsafeMutableRawPointer
    var outputCount = 0
    let outputCapacity: Int

    init(outputBytes: Int) {
        output = .allocate(byteCount: outputBytes, alignment: 64)
        outputCapacity = outputBytes
    }

    var outputRoom: Int { outputCapacity - outputCount }

    /// Of a session's BIO; nil when its exchange is gone.
    static func of(_ bio: OpaquePointer?) -> UnsafeMutablePointer<RecordWindows>? {
        BIO_get_data(bio)?.assumingMemoryBound(to: RecordWindows.self)
    }

    /// Made once for the process and never freed (`BIO_meth_new(3)`).
    nonisolated(unsafe) static let method: OpaquePointer = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = BIO_meth_new(type, "apus records") else {
            fatalError("no memory for a BIO's method")
        }
        BIO_meth_set_read_ex(method) { bio, bytes, capacity, count in
            RecordWindows.read(bio, bytes, capacity, count)
        }
        BIO_meth_set_write_ex(method) { bio, bytes, length, count in
            RecordWindows.write(bio, bytes, length, count)
        }
        // Everything is "no": no end of file inside, for the owner of the socket tells that; no
        // kernel TLS (BIO_CTRL_GET_KTLS_SEND and _RECV). What is written is out at once.
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()

    private static func read(
        _ bio: OpaquePointer?, _ bytes: UnsafeMutablePointer<CChar>?, _ capacity: Int,
        _ count: UnsafeMutablePointer<Int>?
    ) -> Int32 {
        BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
        guard let windows = of(bio), let bytes, let input = windows.pointee.input,
            windows.pointee.inputLeft > 0
        else {
            BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            return -1
        }
        let length = min(capacity, windows.pointee.inputLeft)
        UnsafeMutableRawPointer(bytes).copyMemory(from: input, byteCount: length)
        windows.pointee.input = input + length
        windows.pointee.inputLeft -= length
        count?.pointee = length
        return 1
    }

    private static func write(
        _ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ length: Int,
        _ count: UnsafeMutablePointer<Int>?
    ) -> Int32 {
        BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
        guard let windows = of(bio), let bytes, windows.pointee.outputRoom > 0 else {
            BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
            return -1
        }
        let length = min(length, windows.pointee.outputRoom)
        (windows.pointee.output + windows.pointee.outputCount)
            .copyMemory(from: bytes, byteCount: length)
        windows.pointee.outputCount += length
        count?.pointee = length
        return 1
    }
}
