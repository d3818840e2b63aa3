import Glibc
import Primitives
import Testing
import Traffic

extension Integration {
    @Suite("Limits hold, and what is over them recovers")
    struct LimitTests {
        private func isServed(_ client: Socket) -> Bool {
            do {
                try client.write("ping")
                return try client.read(exactly: 4) == Array("ping".utf8)
            } catch {
                return false
            }
        }

        @Test("A listener's connection limit refuses the next one until another has ended")
        func listenerLimit() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(
                to: server.address, client: "connection: {connectionLimit: {value: 3}}")
            let apus = try ApusProcess(listener)
            var clients = try (0..<3).map { _ in try listener.connect() }
            for client in clients { #expect(isServed(client)) }
            #expect(!isServed(try listener.connect()))
            clients.removeFirst().close()
            #expect(eventually { (try? listener.connect()).map(isServed) == true })
            clients.removeAll()
            try server.stop()
            try apus.stopClean()
            #expect(try apus.statistic("listener_limit") >= 1)
        }

        @Test("A Backend's breakers and its limits of sources hold over all workers")
        func clusterLimits() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let breaker = try Forwarding.Listener.tcp(
                to: server.address, backend: "circuitBreaker: {maxConnections: 2}")
            var source = try Forwarding.Listener.tcp(to: server.address)
            source.endpointPolicy = "limits: {connectionsPerSourceMax: 2}"
            for (listener, reason) in [(breaker, "cluster_limit"), (source, "source_limit")] {
                let apus = try ApusProcess(listener, arguments: ["--workers", "2"])
                var clients = try (0..<2).map { _ in try listener.connect() }
                for client in clients { #expect(isServed(client)) }
                for _ in 0..<4 { #expect(!isServed(try listener.connect())) }
                clients.removeFirst().close()
                #expect(eventually { (try? listener.connect()).map(isServed) == true })
                clients.removeAll()
                try apus.stopClean()
                #expect(try apus.statistic(reason) >= 4)
            }
            try server.stop()
        }

        @Test("The total limit refuses the next one until another has ended")
        func totalLimit() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener, arguments: ["--connections-max", "3"])
            var clients = try (0..<3).map { _ in try listener.connect() }
            for client in clients { #expect(isServed(client)) }
            let refused = try listener.connect()
            try refused.limitWaits(seconds: 1)
            #expect(!isServed(refused))
            clients.removeFirst().close()
            #expect(eventually { (try? listener.connect()).map(isServed) == true })
            clients.removeAll()
            refused.close()
            try server.stop()
            try apus.stopClean()
        }

        @Test("Out of descriptors the process lives on, and serves again when there are some")
        func outOfDescriptors() throws {
            let server = try StreamServer(on: anyPort, serve: StreamServer.echo)
            let listener = try Forwarding.Listener.tcp(to: server.address)
            let apus = try ApusProcess(listener)
            let held = try listener.connect()
            #expect(isServed(held))
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            #expect(prlimit(apus.child.pid, RLIMIT_NOFILE, nil, &limit) == 0)
            var low = limit
            low.rlim_cur = rlim_t(apus.child.descriptorCount + 21)
            #expect(prlimit(apus.child.pid, RLIMIT_NOFILE, &low, nil) == 0)
            var clients = try (0..<60).map { _ in try listener.connect() }
            for client in clients { try client.limitWaits(seconds: 1) }
            #expect(!clients.allSatisfy(isServed), "no limit was reached")
            #expect(isServed(held), "a connection that has its descriptors is not disturbed")
            clients.removeAll()
            // Those that still waited in the kernel are gone by themselves or served: either way
            // new ones must get through, with the limit still low.
            #expect(eventually { (try? listener.connect()).map(isServed) == true })
            held.close()
            server.halt()
            #expect(try apus.stop() == 0, "\(apus.child.log)")
            #expect(try apus.statistic("connectionsLive") == 0)
        }
    }
}
