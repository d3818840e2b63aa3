import Admin
import ArgumentParser
import Control
import GatewayAPI
import Primitives

/// `apus endpoints`.
struct EndpointsCommand: ParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument { case table, json }

    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "Show the endpoints of a running Apus: health and why, connections, failures.",
        discussion: """
            It asks the admin server of a running Apus. Exit codes: 0 shown, 1 no Apus answers, 2 \
            wrong command line.
            """)

    @Argument(help: "Only clusters with this in their names, such as a Backend's NAMESPACE/NAME.")
    var cluster: String?

    @Option(
        help: ArgumentHelp(
            "Where the admin server is: ADDRESS:PORT or unix:PATH.", valueName: "place"))
    var admin = "\(AdminAddress.standard)"

    @Option(help: "How to write it: table or json.")
    var format = Format.table

    private func address() throws -> SocketAddress {
        guard case .at(let address) = AdminAddress(admin) else {
            throw ValidationError("--admin \(admin): write ADDRESS:PORT or unix:PATH.")
        }
        return address
    }

    func validate() throws {
        _ = try address()
    }

    func run() throws {
        let address = try address()
        var target = "/endpoints?format=\(format.rawValue)"
        if let cluster { target += "&cluster=\(AdminClient.escaped(cluster))" }
        do throws(AdminClient.Failure) {
            StandardStream.output.write(try AdminClient.page(target, at: address))
        } catch {
            StandardStream.error.write("apus: \(error)\n")
            throw Ending(code: .failed)
        }
        throw Ending(code: .drained)
    }
}
