import Manifest

/// What a visitor gets. A value.
struct Response: Hashable, Sendable {
    enum Status: Int, Sendable, CaseIterable {
        case ok = 200
        case badRequest = 400
        case notFound = 404
        case methodNotAllowed = 405
        case misdirected = 421
        case headerTooLong = 431
        case unavailable = 503
        case versionNotSupported = 505

        var reason: String {
            switch self {
            case .ok: "OK"
            case .badRequest: "Bad Request"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .misdirected: "Misdirected Request"
            case .headerTooLong: "Request Header Fields Too Large"
            case .unavailable: "Service Unavailable"
            case .versionNotSupported: "HTTP Version Not Supported"
            }
        }
    }

    var status: Status
    var contentType: String
    var body: String

    static func text(_ body: String, _ status: Status = .ok) -> Response {
        Response(status: status, contentType: "text/plain; charset=UTF-8", body: body)
    }

    static func json(_ value: JSON) -> Response {
        Response(status: .ok, contentType: "application/json", body: value.document)
    }

    /// Connections are closed after each answer: visitors are few, and none can hold a place.
    /// - Parameter hasBody: false for HEAD, which gets the same head (RFC 9110 §9.3.2).
    func bytes(hasBody: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status.rawValue) \(status.reason)\r\n"
        head += "Content-Type: \(contentType)\r\nContent-Length: \(body.utf8.count)\r\n"
        head += "Cache-Control: no-cache, max-age=0\r\nX-Content-Type-Options: nosniff\r\n"
        if status == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
        head += "Connection: close\r\n\r\n"
        return Array(head.utf8) + (hasBody ? Array(body.utf8) : [])
    }
}
