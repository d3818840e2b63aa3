import Primitives
import Resolver
import Routing
import Testing
import Traffic

extension Integration {
    /// The resolver's thread against dnsmasq.
    @Suite("Names, asked of dnsmasq")
    struct NameServerTests {
        private static func address(_ port: UInt16) -> SocketAddress {
            .ip(.loopbackIPv4, port: port)
        }

        @Test("A chain of aliases leads to the addresses, with the least TTL of the chain")
        func aliases() throws {
            let port = try FreePort.take()
            let program = try Integration.dnsmasq(
                port: port,
                [
                    "--cname=www.test,web.test,50", "--cname=web.test,host.test,7",
                    "--host-record=host.test,192.0.2.1,2001:db8::1,40",
                ])
            let names = try ResolvedNames()
            let lookup = Lookup.host("www.test", at: Self.address(port)) {
                $0.respectsTTL = true
                $0.refreshInterval = 30_000
                $0.family = .both
            }
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: ["192.0.2.1", "2001:db8::1"]), "\(program.log)")
            for record in try names.records(of: lookup) {
                let left = try #require(record.remainingMilliseconds)
                let next = try #require(record.nextAskMilliseconds)
                #expect(left <= 7_000 && next <= 7_700, "\(record)")
                #expect(left > 0 && next > 0)
            }
        }

        @Test("A name is asked for again when its TTL is over, and not before")
        func ttl() throws {
            let port = try FreePort.take()
            let program = try Integration.dnsmasq(
                port: port, ["--host-record=host.test,192.0.2.1,1"])
            let names = try ResolvedNames()
            let lookup = Lookup.host("host.test", at: Self.address(port)) {
                $0.respectsTTL = true
                $0.refreshInterval = 30_000
            }
            let start = ContinuousClock.now
            names.resolver.want([lookup])
            #expect(
                eventually {
                    program.lines.count { $0.contains("query[A] host.test") } == 4
                })
            // Three times a second and a tenth of one; a slow machine may take longer.
            #expect(start.duration(to: .now) >= .seconds(3))
        }

        @Test("An answer of a hundred addresses comes by TCP")
        func large() throws {
            let port = try FreePort.take()
            let addresses = (1...100).map { "192.0.2.\($0)" }
            let program = try Integration.dnsmasq(
                port: port, addresses.map { "--host-record=big.test,\($0)" })
            let names = try ResolvedNames()
            let lookup = Lookup.host("big.test", at: Self.address(port))
            names.resolver.want([lookup])
            #expect(names.come(lookup, to: addresses), "\(program.log)")
        }

        @Test("A name that does not exist is told as empty, and comes when it does")
        func noSuchName() throws {
            let port = try FreePort.take()
            let lookup = Lookup.host("host.test", at: Self.address(port))
            let names = try ResolvedNames()
            do {
                let program = try Integration.dnsmasq(port: port, [])
                names.resolver.want([lookup])
                #expect(names.come(lookup, to: []), "\(program.log)")
                #expect(
                    try names.records(of: lookup).first?.trouble == .absent(isNameMissing: true))
            }
            let program = try Integration.dnsmasq(port: port, ["--host-record=host.test,192.0.2.1"])
            #expect(names.come(lookup, to: ["192.0.2.1"]), "\(program.log)")
        }

        @Test(
            "A server that dies takes nothing with it, and its answers count again when it is back")
        func death() throws {
            let port = try FreePort.take()
            let names = try ResolvedNames()
            let lookup = Lookup.host("host.test", at: Self.address(port))
            do {
                let program = try Integration.dnsmasq(
                    port: port, ["--host-record=host.test,192.0.2.1"])
                names.resolver.want([lookup])
                #expect(names.come(lookup, to: ["192.0.2.1"]), "\(program.log)")
            }
            #expect(
                try eventually {
                    try names.records(of: lookup).first?.trouble == .failed(.unreachable)
                })
            #expect(names.addresses(of: lookup) == ["192.0.2.1"])
            let program = try Integration.dnsmasq(port: port, ["--host-record=host.test,192.0.2.2"])
            #expect(names.come(lookup, to: ["192.0.2.2"]), "\(program.log)")
            #expect(names.history(of: lookup).count == 2)
        }

        @Test("A change of servers in the system's configuration is followed")
        func serverChange() throws {
            let ports = try (FreePort.take(), FreePort.take())
            let first = try Integration.dnsmasq(
                port: ports.0, ["--host-record=host.test,192.0.2.1"])
            let second = try Integration.dnsmasq(
                port: ports.1, ["--host-record=host.sub.test,192.0.2.2"])
            let names = try ResolvedNames(configuration: "nameserver \(Self.address(ports.0))")
            let lookup = Lookup.host("host.test")
            let short = Lookup.host("host")
            names.resolver.want([lookup, short])
            #expect(names.come(lookup, to: ["192.0.2.1"]), "\(first.log)")
            #expect(names.come(short, to: []))
            names.rewrite(
                "resolv.conf", "nameserver \(Self.address(ports.1))\nsearch sub.test")
            #expect(names.come(short, to: ["192.0.2.2"]), "\(second.log)")
            #expect(names.addresses(of: lookup) == ["192.0.2.1"], "the last good answer")
        }

        @Test("A service has its tiers, and its targets are looked up")
        func service() throws {
            let port = try FreePort.take()
            let program = try Integration.dnsmasq(
                port: port,
                [
                    "--srv-host=_db._tcp.test,one.test,5432,10,3",
                    "--srv-host=_db._tcp.test,two.test,5433,10,1",
                    "--srv-host=_db._tcp.test,three.test,5434,20,0",
                    "--host-record=one.test,192.0.2.1", "--host-record=two.test,192.0.2.2",
                    "--host-record=three.test,192.0.2.3",
                ])
            let names = try ResolvedNames()
            let lookup = Lookup.service("_db._tcp.test", at: Self.address(port))
            names.resolver.want([lookup])
            func target(
                _ name: String, _ port: UInt16, _ weight: UInt16, _ address: String
            ) -> ServiceTarget {
                ServiceTarget(name: name, port: port, weight: weight, addresses: [.of(address)])
            }
            let expected = Resolution.tiers([
                [
                    target("one.test", 5432, 3, "192.0.2.1"),
                    target("two.test", 5433, 1, "192.0.2.2"),
                ], [target("three.test", 5434, 0, "192.0.2.3")],
            ])
            #expect(
                eventually { names.history(of: lookup).last == expected },
                "\(names.history(of: lookup)) \(program.log)")
        }
    }
}
