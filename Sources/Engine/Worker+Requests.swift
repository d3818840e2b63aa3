import CLinux
import Discovery
import Kernel
import Primitives
import Routing
import Wire

/// From a client's bytes to requests, each on its own way: a head is read, a rule is found, and
/// either an endpoint is asked or an answer is given at once. The next request of a connection is
/// looked at when the answer to the last is whole.
extension Worker where R: ~Copyable {
    /// From here on the client's requests are served.
    mutating func beginRequests(_ index: UInt32) {
        if http == nil { http = HTTPDesk() }
        connections[index].pointee.phase = .exchanging
        (peers + Int(index)).initialize(to: HTTPPeer())
        scheduleTrim()
        awaitRequest(index)
        if details[Int(index)].clientTLS?.speaksHTTP2 == true { beginFrames(index, .request) }
        // What came behind the PROXY header, or with the end of the handshake.
        while let id = details[Int(index)].inspected.popFirst(in: streamBuffers) {
            let load = streamBuffers.load(id).pointee
            if load.start == load.end {
                streamBuffers.give(id)
            } else if connections[index].pointee.secured.contains(.client) {
                guard decryptPeer(id, index, .request) else { return }
            } else {
                channel(index, .request).pointee.queue.append(id, in: streamBuffers)
            }
        }
        readRequests(index)
    }

    /// A client that says nothing is waited for so long; whether it does is looked at then.
    mutating func awaitRequest(_ index: UInt32) {
        let limits = requestSettings(index)
        let ticks = limits.idleTicks > 0 ? limits.idleTicks : limits.streamIdleTicks
        if ticks > 0 { timers.set(index, deadline: tick + ticks) }
    }

    func requestSettings(_ index: UInt32) -> RequestLimits {
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        guard let server = details[Int(index)].server,
            server.version == listener.pointee.serversVersion
        else { return listener.pointee.requestLimits(nil) }
        return listener.pointee.requestLimits(Int(server.place))
    }

    /// Whose requests a client's TLS brings, by the listener's plan of now.
    private enum Accepting {
        case server(Int?)
        /// The plan has no server of that name any more that reads requests.
        case gone
    }

    private func accepting(_ index: UInt32) -> Accepting {
        let detail = details + Int(index)
        guard let server = detail.pointee.server else { return .server(nil) }
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        if server.version == listener.pointee.serversVersion {
            return .server(Int(server.place))
        }
        let name = details[Int(carrier(of: index))].clientTLS?.serverName
        guard case .requests(let place) = listener.pointee.table?.decide(serverName: name) else {
            return .gone
        }
        detail.pointee.server = .init(
            place: UInt32(place), version: listener.pointee.serversVersion)
        return .server(place)
    }

    mutating func readRequests(_ index: UInt32) {
        guard !peers[Int(index)].isBeingRead else { return }
        (peers + Int(index)).pointee.isBeingRead = true
        let generation = connections.generation(of: index)
        var goesOn = true
        while goesOn {
            switch peers[Int(index)].reading {
            case .head: goesOn = readRequestHead(index)
            case .body(let reader): goesOn = passRequestBody(index, reader)
            case .spliced(let left): goesOn = pumpBody(index, .request, left)
            case .tunnel: goesOn = passTunnel(index, .request)
            case .frames: goesOn = readFrames(index, .request)
            case .discarding:
                dropHeld(index, .request)
                goesOn = false
            }
            guard isExchanging(index, generation) else { return }
        }
        (peers + Int(index)).pointee.isBeingRead = false
        if peers[Int(index)].isEnded { return requestsEnded(index) }
        let isHungry =
            if case .head = peers[Int(index)].reading {
                peers[Int(index)].exchange == Exchange.none && !isBlocked(index)
            } else {
                false
            }
        balanceReceive(index, .request, isHungry: isHungry)
    }

    /// Whether a slot still has the tenant that it had, and serves exchanges.
    func isExchanging(_ index: UInt32, _ generation: UInt32) -> Bool {
        connections.find(index, generation: generation)?.pointee.phase == .exchanging
    }

    /// The client has ended its stream, and what it had sent is read as far as it can be.
    private mutating func requestsEnded(_ index: UInt32) {
        let peer = peers + Int(index)
        switch peer.pointee.reading {
        case .head:
            // Whoever has sent whole requests may still wait for their answers.
            guard peer.pointee.exchange == Exchange.none, !isBlocked(index) else { return }
            finishClient(index)
        case .body(.untilClose):
            // Of a stream: its end is the request's.
            if channel(index, .request).pointee.queue.isEmpty { endRequestBody(index) }
        case .frames, .spliced:
            terminate(index, .clientClosed)
        case .body:
            if channel(index, .request).pointee.queue.isEmpty { terminate(index, .clientClosed) }
        case .tunnel: endTunnel(index, .request)
        case .discarding:
            if !isBlocked(index) { terminate(index, .answered) }
        }
    }

    // MARK: - Heads

    /// What is to be done about a request, once its head is no longer needed.
    private enum Course {
        /// An exchange, its endpoint, and the rule's place among the listener's routes.
        case ask(UInt32, Unmanaged<Endpoint>, route: Int)
        case answer(Answer)
    }

    /// - Returns: whether there may be more to do at once.
    private mutating func readRequestHead(_ index: UInt32) -> Bool {
        let peer = peers + Int(index)
        guard let desk = http, peer.pointee.exchange == Exchange.none, !isBlocked(index),
            !peer.pointee.isFinished, !channel(index, .request).pointee.queue.isEmpty
        else { return false }
        let bytes = gather(index, .request, desk)
        let limits = requestSettings(index)
        var examined = Int(peer.pointee.examined)
        switch limits.parser.parse(bytes, resumingAt: &examined, into: desk.fields) {
        case .incomplete:
            peer.pointee.examined = UInt32(examined)
            if !peer.pointee.isHeadBegun {
                peer.pointee.isHeadBegun = true
                timers.set(index, deadline: tick + limits.headTicks)
            }
            return false
        case .malformed(let fault):
            refuse(index, RequestFault(fault))
            return true
        case .http2Preface:
            guard peer.pointee.exchanges == 0 else {
                refuse(index, .malformed)
                return true
            }
            if peer.pointee.isHeadBegun {
                peer.pointee.isHeadBegun = false
                awaitRequest(index)
            }
            beginFrames(index, .request)
            return true
        case .complete(let line):
            counters.add(.requests)
            peer.pointee.examined = 0
            if peer.pointee.isHeadBegun {
                peer.pointee.isHeadBegun = false
                awaitRequest(index)
            }
            peer.pointee.exchanges &+= 1
            let body = BodyReader(line.framing)
            let course = decide(line, bytes, index, desk, limits, hasBody: body != nil)
            drop(Int(line.headBytes), index, .request)
            follow(course, line, index, body)
            return true
        }
    }

    /// Serves the request of a stream.
    /// - Parameter isLast: nothing follows its head.
    mutating func serve(
        _ line: HTTPRequestLine, _ bytes: UnsafeRawBufferPointer, _ index: UInt32,
        _ desk: HTTPDesk, _ limits: RequestLimits, isLast: Bool
    ) {
        let peer = peers + Int(index)
        peer.pointee.isEnded = isLast
        peer.pointee.isGRPC = isGRPC(desk.fields(line.fieldCount), bytes)
        let course = decide(line, bytes, index, desk, limits, hasBody: !isLast)
        follow(course, line, index, isLast ? nil : .untilClose)
    }

    /// `content-type: application/grpc`, and anything behind it.
    private func isGRPC(
        _ fields: UnsafeMutableBufferPointer<HTTPField>, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        let type: StaticString = "application/grpc"
        for field in fields where field.known == .contentType {
            let value = field.value.bytes(in: bytes)
            guard value.count >= type.utf8CodeUnitCount else { return false }
            return value.prefix(type.utf8CodeUnitCount).elementsEqual(
                UnsafeRawBufferPointer(start: type.utf8Start, count: type.utf8CodeUnitCount))
        }
        return false
    }

    private mutating func follow(
        _ course: Course, _ line: HTTPRequestLine, _ index: UInt32, _ body: BodyReader?
    ) {
        let peer = peers + Int(index)
        if let body {
            peer.pointee.reading = .body(body)
            limitBody(index)
        }
        switch course {
        case .ask(let exchange, let endpoint, let route):
            peer.pointee.exchange = exchange
            beginMirrors(exchange, route: route, body)
            ask(exchange, endpoint)
        case .answer(let answer):
            reply(answer, to: index, isHead: line.method == .head, keepsClient: line.keepsAlive)
        }
    }

    /// A body's time runs from the end of its head.
    private mutating func limitBody(_ index: UInt32) {
        let ticks = requestSettings(index).requestTicks
        guard ticks > 0 else { return }
        (peers + Int(index)).pointee.requestDeadline = tick + ticks
        timers.set(index, deadline: tick + ticks)
    }

    private mutating func decide(
        _ line: HTTPRequestLine, _ bytes: UnsafeRawBufferPointer, _ index: UInt32,
        _ desk: HTTPDesk, _ limits: RequestLimits, hasBody: Bool
    ) -> Course {
        guard line.method != .connect else { return .answer(Answer(.connectRefused)) }
        var path = line.targetForm == .asterisk ? line.target : line.path
        var memory = bytes
        if path.isEmpty {
            // Of an absolute form.
            (memory, path) = (Self.slash, HTTPSpan(offset: 0, count: 1))
        } else if line.targetForm != .asterisk {
            switch HTTPPath.normalize(
                path.bytes(in: bytes), into: desk.path, escapedSlashes: limits.escapedSlashes,
                mergesSlashes: limits.mergesSlashes)
            {
            case .unchanged: break
            case .changed(let count):
                memory = UnsafeRawBufferPointer(desk.path)
                path = HTTPSpan(offset: 0, count: UInt32(count))
            case .redirect(let count):
                var location = Array(desk.path[..<count])
                if let query = line.query {
                    location.append(UInt8(ascii: "?"))
                    location += query.bytes(in: bytes)
                }
                return .answer(Answer(status: 307, location: location))
            case .malformed(let fault): return .answer(Answer(RequestFault(fault)))
            }
        }
        let view = RequestView(
            bytes: bytes, line: line, fields: desk.fields(line.fieldCount),
            path: path.bytes(in: memory), hasBody: hasBody)
        if !limits.healthPath.isEmpty, view.path.elementsEqual(limits.healthPath) {
            // Whoever asks so has no more to ask of a worker that drains.
            return .answer(service == .serving ? Answer(status: 200) : Answer(.draining))
        }
        return decide(view, index, desk)
    }

    private static var slash: UnsafeRawBufferPointer {
        let text: StaticString = "/"
        return UnsafeRawBufferPointer(start: text.utf8Start, count: 1)
    }

    private mutating func decide(
        _ view: borrowing RequestView, _ index: UInt32, _ desk: HTTPDesk
    ) -> Course {
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        let number = listener.pointee.program
        guard listener.pointee.hasProgram, case .server(let accepting) = accepting(index) else {
            return .answer(Answer(.misdirected))
        }
        let program = roster.programs[number].pointee.program
        switch program.table.decide(view, server: accepting) {
        case .noServer, .noRoute: return .answer(Answer(.unrouted))
        case .misdirected: return .answer(Answer(.misdirected))
        case .candidate(let server, let candidate):
            guard let requests = program.servers[server] else {
                fatalError("only servers that read requests have candidates")
            }
            let local = Int(requests.rules[candidate])
            let target = Target(
                program: number, rule: requests.firstRule + local,
                route: listener.pointee.place(server: server, route: local),
                path: requests.paths[candidate])
            let rule = program.rules[target.rule]
            if let lines = rule.cors?.preflight(view) {
                return .answer(Answer(status: 204, lines: lines))
            }
            switch rule.action {
            case .respond(let status, let body):
                return .answer(Answer(status: status, body: body))
            case .redirect(let redirect):
                let location = redirect.location(
                    for: view, scheme: accepting == nil ? "http" : "https",
                    port: listener.pointee.port, matched: target.path)
                return .answer(Answer(status: redirect.status, location: location))
            case .forward: break
            }
            return forward(view, index, desk, target, rule)
        }
    }

    /// What the listener's plan says of a request.
    private struct Target {
        /// The roster's number of it.
        let program: UInt32
        /// The rule's place in the program, and among the listener's routes.
        let rule: Int
        let route: Int
        /// What the request's path matched.
        let path: HTTPMatch.Path
    }

    /// Who a request is from, as the listener finds it out.
    private mutating func requestAddress(
        _ view: borrowing RequestView, _ index: UInt32,
        _ source: HTTPListenerPlan.ClientAddress
    ) -> ClientAddress {
        guard case .known(let connection) = clientAddress(index) else { return .gone }
        switch source.find(in: view, connection: connection) {
        case .known(let address): return .known(address)
        case .denied: return .gone
        }
    }

    /// Chooses an endpoint and writes the head for it.
    private mutating func forward(
        _ view: borrowing RequestView, _ index: UInt32, _ desk: HTTPDesk, _ target: Target,
        _ rule: HTTPRule
    ) -> Course {
        let listener = roster.listeners[UInt32(connections[index].pointee.listener)]
        let source = requestSettings(index).clientAddress
        var client: IPAddress?
        if listener.pointee.isRestricted(target.route) || source != .connection {
            guard case .known(let found) = requestAddress(view, index, source),
                listener.pointee.allows(found, target.route, view)
            else { return .answer(Answer(.denied)) }
            client = found
        }
        guard let (backend, number) = listener.pointee.pickBackend(target.route) else {
            return .answer(Answer(.backendInvalid))
        }
        let cluster = roster.clusters[number]
        if client == nil, cluster.pointee.needsClients,
            case .known(let address) = clientAddress(index)
        {
            client = address
        }
        var hash = cluster.pointee.hash(for: client, view)
        var cookie = StickyCookie.none
        if hash == nil, cluster.pointee.cookie != nil {
            cookie = StickyCookie.value(desk.random.next())
            hash = StickyCookie.hash(cookie)
        }
        guard let picked = cluster.pointee.pick(hash: hash) else {
            return .answer(Answer(.endpointMissing))
        }
        guard let id = exchanges.claim() else { return .answer(Answer(.overflow)) }
        var exchange = Exchange(
            client: index, program: target.program, rule: Int32(target.rule),
            backend: Int32(backend),
            method: view.line.method, isHTTP10: view.line.version == .http10,
            isUpgrade: view.line.isUpgrade,
            keepsClient: view.line.keepsAlive && !isStream(index) && keepsClient(index)
                && peers[Int(index)].exchanges < requestSettings(index).requestsMax,
            cluster: number,
            progress: ExchangeProgress(
                hasBody: view.hasBody, isIdempotent: view.line.method.isIdempotent),
            requestFraming: view.line.framing)
        let limits = cluster.pointee.endpoints.limits
        let refusal = limits?.admit(&exchange.claim, client: client, now: now)
        guard refusal == nil,
            let head = writeRequestHead(view, index, desk, rule, backend, matched: target.path)
        else {
            limits?.give(&exchange.claim)
            exchanges.release(id)
            return .answer(Answer(refusal.map { RequestFault($0) } ?? .overflow))
        }
        (exchange.hash, exchange.cookie) = (hash, cookie)
        exchange.head = head
        exchange.attemptTicks = rule.attemptTicks
        if rule.requestTicks > 0 {
            exchange.deadline = tick + rule.requestTicks
            timers.set(exchangeTimer(id), deadline: exchange.deadline)
        }
        exchanges[id].pointee = exchange
        cluster.pointee.references += 1
        let state = roster.programs[target.program]
        state.pointee.references += 1
        return .ask(id, picked, route: target.route)
    }
}
