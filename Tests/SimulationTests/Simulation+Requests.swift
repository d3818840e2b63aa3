import Engine
import Kernel
import Primitives
import Routing
import SimulatedKernel
import TLS

/// Listeners whose requests are routed one by one, with clients and endpoints for them.
extension Simulation {
    /// Adds a listener whose requests all go to `cluster`.
    func addRequestListener(
        on address: SocketAddress, _ tcp: TCPListenerPlan = TCPListenerPlan(),
        to cluster: ClusterPlan,
        timeouts: HTTPTimeouts = HTTPTimeouts(), retry: RetryPlan? = nil,
        settings: HTTPListenerPlan = HTTPListenerPlan(), mirrors: ClusterPlan? = nil,
        ends: TLSServer? = nil
    ) {
        plan.clusters.append(cluster)
        var rule = HTTPRulePlan(
            name: "HTTPRoute/default/route/rule/0",
            backends: [WeightedBackend(cluster: plan.clusters.count - 1, weight: 1)],
            timeouts: timeouts, retry: retry)
        if let mirrors {
            plan.clusters.append(mirrors)
            rule.filters.append(
                .mirror(.init(cluster: plan.clusters.count - 1, numerator: 3, denominator: 4)))
        }
        let name = "default/gateway/\(plan.listeners.count)"
        let server = HTTPServerPlan(
            name: name, host: .any,
            candidates: [
                HTTPCandidate(host: .any, match: HTTPMatch(path: .prefix("")), rule: 0)
            ], rules: [rule], settings: settings)
        let secure = TLSServerPlan(
            name: name, host: .suffix(".example.com"), mode: .http(ServerCertificate.plan, server))
        let routes = ends == nil ? ListenerPlan.Routes.http([server]) : .tls([secure])
        plan.listeners.append(
            ListenerPlan(
                name: name, addresses: [address], transport: .tcp(tcp), routes: routes))
        tls.append(ends == nil ? [] : [ends])
        sockets.append([kernel.listen(on: address)])
    }

    /// Requests at `address` are answered by `manners`.
    @discardableResult
    func answer(
        at address: SocketAddress, ends: TLSServer? = nil,
        _ manners: @escaping () -> AnswerActor.Manners
    ) -> StreamService {
        kernel.serve(at: address) { [unowned self] socket in
            answerers.append(AnswerActor(manners(), socket: socket, kernel: kernel, server: ends))
        }
    }

    /// A client connects after so many nanoseconds and makes its requests.
    func request(
        from client: SocketAddress?, to address: SocketAddress, after delay: UInt64 = 0,
        over tls: TLSClient? = nil, _ script: RequestActor.Script
    ) {
        kernel.after(delay) { [unowned self] in
            let socket = kernel.connect(from: client, to: address)
            requesters.append(
                RequestActor(script, socket: socket, kernel: kernel, client: tls))
        }
    }

    /// As `answer`, by HTTP/2.
    @discardableResult
    func answerFrames(
        at address: SocketAddress, ends: TLSServer? = nil,
        _ manners: @escaping () -> FrameAnswerActor.Manners
    ) -> StreamService {
        kernel.serve(at: address) { [unowned self] socket in
            frameAnswerers.append(
                FrameAnswerActor(manners(), socket: socket, kernel: kernel, server: ends))
        }
    }

    /// As `request`, by HTTP/2.
    func requestFrames(
        from client: SocketAddress?, to address: SocketAddress, after delay: UInt64 = 0,
        over tls: TLSClient? = nil, _ script: FrameRequestActor.Script
    ) {
        kernel.after(delay) { [unowned self] in
            let socket = kernel.connect(from: client, to: address)
            frameRequesters.append(
                FrameRequestActor(script, socket: socket, kernel: kernel, client: tls))
        }
    }
}
