/// The head of a request (RFC 9112) as far as the admin server needs it. Pure; made of the bytes
/// that a visitor has sent so far. Strict: what could be read in two ways is refused. It has no
/// body of interest, because only GET and HEAD are answered.
struct RequestHead: Hashable, Sendable {
    enum Fault: Error, Hashable, Sendable {
        /// No request, or one that RFC 9112 forbids.
        case malformed
        case tooLong
        /// Not HTTP/1.0 or HTTP/1.1.
        case version
        /// RFC 9112 §3.2: an HTTP/1.1 request has exactly one.
        case hostMissing
    }

    enum Verdict: Hashable, Sendable {
        case needMore
        case match(RequestHead)
        case fault(Fault)
    }

    /// As it came: methods are case-sensitive (RFC 9110 §9.1).
    var method: String
    /// Path and query, as they came.
    var target: String
    /// Of the target where that has one, else of the Host field; with its port, if any.
    var host: String?

    static let bytesMax = 8192

    private static let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))

    /// The verdict is the same for whatever follows, once it is not `needMore`. A lone LF ends a
    /// line too, as RFC 9112 §2.2 allows, so that a request can be typed.
    static func parse(_ bytes: some Collection<UInt8>) -> Verdict {
        var rest = bytes.prefix(bytesMax)[...]
        var head: RequestHead?
        var isVersion11 = false
        var hostField: String?
        do throws(Fault) {
            while let end = rest.firstIndex(of: lineFeed) {
                var line = Array(rest[..<end])
                rest = rest[rest.index(after: end)...]
                if line.last == carriageReturn { line.removeLast() }
                guard let request = head else {
                    (head, isVersion11) = try requestLine(line)
                    continue
                }
                guard !line.isEmpty else {
                    if isVersion11, hostField == nil { throw .hostMissing }
                    return .match(
                        RequestHead(
                            method: request.method, target: request.target,
                            host: request.host ?? hostField))
                }
                let (name, value) = try field(line)
                guard name == "host" else { continue }
                guard hostField == nil else { throw .malformed }
                hostField = value
            }
        } catch {
            return .fault(error)
        }
        return bytes.prefix(bytesMax).count == bytesMax ? .fault(.tooLong) : .needMore
    }

    /// RFC 9112 §3: three parts with one space between them.
    private static func requestLine(
        _ line: [UInt8]
    ) throws(Fault) -> (RequestHead, isVersion11: Bool) {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isToken),
            !parts[1].isEmpty, parts[1].allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw .malformed }
        let version = text(parts[2])
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            throw version.hasPrefix("HTTP/") ? .version : .malformed
        }
        var head = RequestHead(method: text(parts[0]), target: text(parts[1]))
        // A request to a proxy has a whole URL, which a server must take too (RFC 9112 §3.2.2).
        if let authority = head.target.firstRange(of: "://") {
            guard head.target[..<authority.lowerBound].allSatisfy(\.isLetter) else {
                return (head, version == "HTTP/1.1")
            }
            let rest = head.target[authority.upperBound...]
            let host = rest.prefix { $0 != "/" && $0 != "?" }
            let path = rest[host.endIndex...]
            head.host = String(host)
            head.target = path.hasPrefix("/") ? String(path) : "/" + path
        }
        return (head, version == "HTTP/1.1")
    }

    /// RFC 9112 §5: nothing between the name and the colon, and no line goes on in the next.
    private static func field(_ line: [UInt8]) throws(Fault) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line[..<colon].allSatisfy(isToken)
        else { throw .malformed }
        let value = line[(colon + 1)...]
        let isText = value.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7f }
        guard isText else { throw .malformed }
        let isSpace: (UInt8) -> Bool = { $0 == 0x09 || $0 == 0x20 }
        let start = value.firstIndex { !isSpace($0) } ?? value.endIndex
        let end = value.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return (text(line[..<colon]).lowercased(), text(value[start..<max(start, end)]))
    }

    private static func text(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 9110 §5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
