/// Reads the answer of `grpc.health.v1.Health/Check`: headers and trailers, and one message with
/// one field, as pieces of them come. Pure; owned by an exchange.
///
/// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md,
/// https://github.com/grpc/grpc/blob/master/doc/health-checking.md
struct GRPCAnswer {
    /// The only message is two bytes in practice.
    static let bytesMax = 4_096
    static let serving: UInt64 = 1

    private var httpStatus: UInt16?
    private var grpcStatus: UInt32?
    private var message = ""
    private var bytes: [UInt8] = []
    private var isTooLong = false

    mutating func on(header name: String, _ value: String) {
        switch name {
        case ":status": httpStatus = UInt16(value)
        case "grpc-status": grpcStatus = UInt32(value)
        // Percent-encoded, and of any length; it is shown to people.
        case "grpc-message": message = String(value.prefix(200))
        default: break
        }
    }

    mutating func on(body: UnsafeRawBufferPointer) {
        isTooLong = isTooLong || bytes.count + body.count > Self.bytesMax
        if !isTooLong { bytes += body }
    }

    /// The stream has ended.
    func outcome() -> CheckOutcome {
        // A status of gRPC goes before one of HTTP
        // (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
        guard let grpcStatus else {
            if let httpStatus, httpStatus != 200 {
                return .failed(.status(httpStatus, isRetriable: false))
            }
            return .failed(.rpcMalformed)
        }
        guard grpcStatus == 0 else {
            return .failed(.rpcFailed(code: grpcStatus, message: message))
        }
        guard !isTooLong, let status = Self.status(ofMessage: bytes) else {
            return .failed(.rpcMalformed)
        }
        return status == Self.serving ? .passed : .failed(.notServing(status))
    }

    // MARK: - Messages

    /// One message that is not compressed, with its length before it.
    static func framed(_ message: [UInt8]) -> [UInt8] {
        let count = UInt32(message.count)
        return [0] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } + message
    }

    /// `HealthCheckRequest`: field 1 is the service's name; a default value is left out.
    static func request(service: String) -> [UInt8] {
        guard !service.isEmpty else { return [] }
        return [0x0a] + varint(UInt64(service.utf8.count)) + Array(service.utf8)
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    /// `HealthCheckResponse`: field 1 is the status. Nil when that is not what the bytes are.
    static func status(ofMessage framed: [UInt8]) -> UInt64? {
        guard framed.count >= 5, framed[0] == 0 else { return nil }
        let length = framed[1...4].reduce(0) { $0 << 8 | Int($1) }
        guard length == framed.count - 5 else { return nil }
        var rest = framed[5...]
        var status: UInt64 = 0
        while !rest.isEmpty {
            guard let tag = takeVarint(&rest), tag >> 3 != 0 else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = takeVarint(&rest) else { return nil }
                // The last of several counts.
                if tag >> 3 == 1 { status = value }
            case 1:
                guard rest.count >= 8 else { return nil }
                rest = rest.dropFirst(8)
            case 2:
                guard let count = takeVarint(&rest), count <= rest.count else { return nil }
                rest = rest.dropFirst(Int(count))
            case 5:
                guard rest.count >= 4 else { return nil }
                rest = rest.dropFirst(4)
            default: return nil
            }
        }
        return status
    }

    /// Ten bytes at most (https://protobuf.dev/programming-guides/encoding/).
    private static func takeVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    // MARK: - Names

    private static let statusNames = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    ]

    static func name(ofStatus code: UInt32) -> String {
        code < statusNames.count ? statusNames[Int(code)] : "\(code)"
    }

    static func name(ofHealth status: UInt64) -> String {
        switch status {
        case 0: "UNKNOWN"
        case 1: "SERVING"
        case 2: "NOT_SERVING"
        case 3: "SERVICE_UNKNOWN"
        default: "serving status \(status)"
        }
    }
}
