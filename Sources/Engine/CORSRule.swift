import Routing
import Wire

/// Which origins a rule's pages may be used by (the Fetch standard's CORS protocol; HTTPRoute
/// filter `cors`), made ready of its plan.
struct CORSRule: Sendable {
    private let allowsEveryOrigin: Bool
    private let origins: [Origin]
    private let methods: [UInt8]
    private let headers: [UInt8]
    private let allowsEveryMethod: Bool
    private let allowsEveryHeader: Bool
    private let allowsCredentials: Bool
    /// Lines of every answer that is allowed, but for the origin's.
    private let answerLines: [UInt8]
    private let age: [UInt8]

    /// `https://example.com`, or with a star for one or more labels: `https://*.example.com`.
    private struct Origin: Sendable {
        /// Before and behind the star; lowercase.
        let start: [UInt8]
        let end: [UInt8]
        let hasStar: Bool

        init(_ text: String) {
            let parts = text.lowercased().split(
                separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
            start = Array(parts[0].utf8)
            hasStar = parts.count > 1
            end = hasStar ? Array(parts[1].utf8) : []
        }

        /// Scheme and host are alike in any case (RFC 6454 section 4).
        func matches(_ origin: UnsafeRawBufferPointer) -> Bool {
            guard hasStar else { return Self.isEqual(origin[...], start) }
            guard origin.count > start.count + end.count else { return false }
            return Self.isEqual(origin.prefix(start.count), start)
                && Self.isEqual(origin.suffix(end.count), end)
        }

        private static func isEqual(
            _ bytes: Slice<UnsafeRawBufferPointer>, _ lowercase: [UInt8]
        ) -> Bool {
            bytes.elementsEqual(lowercase) { byte, wanted in
                (byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte) == wanted
            }
        }
    }

    init(_ plan: HTTPFilter.CORS) {
        allowsEveryOrigin = plan.origins.contains("*")
        origins = plan.origins.filter { $0 != "*" }.map(Origin.init)
        allowsEveryMethod = plan.methods.contains("*")
        allowsEveryHeader = plan.headers.contains("*")
        methods = Array(plan.methods.joined(separator: ", ").utf8)
        headers = Array(plan.headers.joined(separator: ", ").utf8)
        allowsCredentials = plan.allowsCredentials
        var lines = ""
        if plan.allowsCredentials { lines += "access-control-allow-credentials: true\r\n" }
        if !plan.exposedHeaders.isEmpty {
            lines += "access-control-expose-headers: "
            lines += plan.exposedHeaders.joined(separator: ", ") + "\r\n"
        }
        answerLines = Array(lines.utf8)
        age = Array(String(plan.ageMaxSeconds ?? Self.ageDefault).utf8)
    }

    /// Seconds; the Gateway API's.
    private static let ageDefault: UInt32 = 5

    func allows(_ origin: UnsafeRawBufferPointer) -> Bool {
        allowsEveryOrigin || origins.contains { $0.matches(origin) }
    }

    // MARK: - Answers

    /// What an endpoint says itself about it does not count where the rule does.
    func replaces(_ field: HTTPField, of bytes: UnsafeRawBufferPointer) -> Bool {
        let prefix: StaticString = "access-control-"
        let name = field.name.bytes(in: bytes)
        guard name.count > prefix.utf8CodeUnitCount else { return false }
        for place in 0..<prefix.utf8CodeUnitCount
        where name[place] | 0x20 != prefix.utf8Start[place] | 0x20 { return false }
        return true
    }

    /// The origin in a request's head as it was kept; nil = there is none, or it is not allowed.
    func origin(in head: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var start = 0
        while let end = head[start...].firstIndex(of: 0x0a) {
            let line = UnsafeRawBufferPointer(rebasing: head[start..<max(start, end - 1)])
            let name = UnsafeRawBufferPointer(
                rebasing: line.prefix { $0 != UInt8(ascii: ":") })
            if KnownField(name: name) == .origin {
                // A colon and a space.
                let value = UnsafeRawBufferPointer(rebasing: line.dropFirst(name.count + 2))
                return allows(value) ? value : nil
            }
            start = end + 1
        }
        return nil
    }

    /// The lines that let an origin see an answer.
    func write(origin: UnsafeRawBufferPointer, to writer: inout HTTPHeadWriter) {
        if allowsEveryOrigin, !allowsCredentials {
            writer.field("access-control-allow-origin", "*")
        } else {
            writer.field("access-control-allow-origin", origin)
            writer.field("vary", "Origin")
        }
        answerLines.withUnsafeBytes { writer.append($0) }
    }

    /// What a browser asks before the request itself: `OPTIONS` with the request's method.
    /// - Returns: the answer's lines; nil = it is no such question.
    func preflight(_ view: borrowing RequestView) -> [UInt8]? {
        guard view.line.method == .options,
            let origin = view.fields.first(where: { $0.known == .origin })?.value.bytes(
                in: view.bytes),
            let method = Self.value("access-control-request-method", view)
        else { return nil }
        // Without these lines a browser does not go on.
        guard allows(origin) else { return [] }
        var lines: [UInt8] = []
        let usesStar = allowsEveryOrigin && !allowsCredentials
        Self.append(
            "access-control-allow-origin", usesStar ? Array("*".utf8) : Array(origin), &lines)
        if !usesStar { Self.append("vary", Array("Origin".utf8), &lines) }
        lines += answerLines
        // A star means itself where there are credentials (Fetch, section 3.3.5).
        if allowsEveryMethod {
            let isNamed = allowsCredentials
            Self.append(
                "access-control-allow-methods", isNamed ? Array(method) : Array("*".utf8), &lines)
        } else if !methods.isEmpty {
            Self.append("access-control-allow-methods", methods, &lines)
        }
        if allowsEveryHeader {
            let asked = Self.value("access-control-request-headers", view).map { Array($0) }
            let named = allowsCredentials ? asked : Array("*".utf8)
            if let named { Self.append("access-control-allow-headers", named, &lines) }
        } else if !headers.isEmpty {
            Self.append("access-control-allow-headers", headers, &lines)
        }
        Self.append("access-control-max-age", age, &lines)
        return lines
    }

    private static func append(_ name: String, _ value: [UInt8], _ lines: inout [UInt8]) {
        lines += Array((name + ": ").utf8) + value + Array("\r\n".utf8)
    }

    private static func value(
        _ name: StaticString, _ view: borrowing RequestView
    ) -> UnsafeRawBufferPointer? {
        for field in view.fields {
            let bytes = field.name.bytes(in: view.bytes)
            guard bytes.count == name.utf8CodeUnitCount else { continue }
            var isEqual = true
            for place in bytes.indices where bytes[place] | 0x20 != name.utf8Start[place] | 0x20 {
                isEqual = false
            }
            if isEqual { return field.value.bytes(in: view.bytes) }
        }
        return nil
    }
}
