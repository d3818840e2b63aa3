import Routing
import Wire

/// How the requests of one listener are served: its plan made ready for one request after another.
/// Made once of a plan and never changed; all workers read the same one, and exchanges that began
/// by it end by it.
public final class HTTPProgram: Sendable {
    /// A listener's host with its rules.
    struct Server: Sendable {
        /// The place of its first rule among those of all servers.
        let firstRule: Int
        /// Of each candidate: its rule's place among the server's.
        let rules: [Int32]
        let paths: [HTTPMatch.Path]
    }

    let table: ListenerTable
    /// Of each server of the listener; nil = its clients' bytes are not read.
    let servers: [Server?]
    /// Of all servers, one after another.
    let rules: [HTTPRule]

    /// - Parameter table: of the same plan.
    public init(_ table: ListenerTable) {
        self.table = table
        var rules: [HTTPRule] = []
        servers = Self.requestServers(of: table.plan).map { plan in
            guard let plan else { return nil }
            let first = rules.count
            rules += plan.rules.map(HTTPRule.init)
            return Server(
                firstRule: first, rules: plan.candidates.map { Int32($0.rule) },
                paths: plan.candidates.map(\.match.path))
        }
        self.rules = rules
    }

    /// One for each server of the listener; nil where it reads no requests.
    static func requestServers(of plan: ListenerPlan) -> [HTTPServerPlan?] {
        switch plan.routes {
        case .opaque: []
        case .http(let servers): servers
        case .tls(let servers):
            servers.map(\.requests)
        }
    }
}

/// A rule as requests follow it.
struct HTTPRule: Sendable {
    enum Action: Sendable {
        case forward
        case redirect(HTTPFilter.Redirect)
        case respond(status: UInt16, body: [UInt8])
    }

    /// What one backend of a rule changes, after the rule itself.
    struct Backend: Sendable {
        var request: FieldEdit
        var response: FieldEdit
    }

    let action: Action
    let rewrite: HTTPFilter.Rewrite?
    private let request: FieldEdit
    private let response: FieldEdit
    /// Of each backend; empty = none changes anything.
    private let backends: [Backend]
    let isGRPC: Bool
    /// 0 = there is no limit.
    let requestTicks: UInt64
    let attemptTicks: UInt64
    let retry: RetryRule?
    let cors: CORSRule?

    init(_ plan: HTTPRulePlan) {
        var action = Action.forward
        var rewrite: HTTPFilter.Rewrite?
        var cors: CORSRule?
        for filter in plan.filters {
            switch filter {
            case .redirect(let redirect): action = .redirect(redirect)
            case .respond(let status, let body):
                action = .respond(status: status, body: Array(body.utf8))
            case .rewrite(let edit): rewrite = edit
            case .cors(let plan): cors = CORSRule(plan)
            case .requestHeaders, .responseHeaders, .mirror: break
            }
        }
        (self.action, self.rewrite, self.cors) = (action, rewrite, cors)
        (request, response) = Self.edits(plan.filters)
        backends = plan.backendFilters.map { filters in
            let (request, response) = Self.edits(filters)
            return Backend(request: request, response: response)
        }
        isGRPC = plan.isGRPC
        requestTicks = Tick.count(milliseconds: plan.timeouts.request ?? 0)
        let retry = plan.retry.map(RetryRule.init)
        self.retry = retry
        let attempt = Tick.count(milliseconds: plan.timeouts.backendRequest ?? 0)
        attemptTicks = retry.flatMap { $0.attemptTicks > 0 ? $0.attemptTicks : nil } ?? attempt
    }

    private static func edits(_ filters: [HTTPFilter]) -> (FieldEdit, FieldEdit) {
        var (request, response) = (FieldEdit(), FieldEdit())
        for filter in filters {
            switch filter {
            case .requestHeaders(let edit): request.append(edit)
            case .responseHeaders(let edit): response.append(edit)
            case .redirect, .respond, .rewrite, .mirror, .cors: break
            }
        }
        return (request, response)
    }

    /// What becomes of a request's fields on the way to a backend, by its place in the rule.
    func requestEdits(_ backend: Int) -> (FieldEdit, FieldEdit?) {
        (request, backends.isEmpty ? nil : backends[backend].request)
    }

    func responseEdits(_ backend: Int) -> (FieldEdit, FieldEdit?) {
        (response, backends.isEmpty ? nil : backends[backend].response)
    }
}

/// What is changed of the fields of a head (`HTTPHeaderFilter`), as one step: lines of some names
/// are left out, and others stand at the end.
struct FieldEdit: Sendable {
    /// Lowercase.
    private(set) var dropped: [[UInt8]] = []
    private var added: [HTTPFilter.HeaderEdit.Field] = []
    /// The lines to add as they are sent.
    private(set) var lines: [UInt8] = []

    /// Another edit, after what is there.
    mutating func append(_ edit: HTTPFilter.HeaderEdit) {
        for field in edit.set {
            drop(field.name)
            added.append(field)
        }
        added += edit.add
        for name in edit.remove { drop(name) }
        lines = added.flatMap { Array("\($0.name): \($0.value)\r\n".utf8) }
    }

    func drops(_ field: HTTPField, of bytes: UnsafeRawBufferPointer) -> Bool {
        guard !dropped.isEmpty else { return false }
        let name = field.name.bytes(in: bytes)
        return dropped.contains { name.elementsEqual($0) { Self.lowercase($0) == $1 } }
    }

    /// Header names in any case (RFC 9110 section 5.1).
    private static func lowercase(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    func write(to writer: inout HTTPHeadWriter) {
        if !lines.isEmpty { lines.withUnsafeBytes { writer.append($0) } }
    }

    private mutating func drop(_ name: String) {
        let name = name.lowercased()
        added.removeAll { $0.name.lowercased() == name }
        dropped.append(Array(name.utf8))
    }
}
