import Control
import Manifest

/// `/listeners` in Envoy's shapes (`envoy.admin.v3.Listeners`).
enum ListenersPage {
    static func text(_ listeners: [Snapshot.Listener]) -> String {
        listeners.flatMap { listener in
            listener.addresses.map { "\(listener.name)::\($0.place)\n" }
        }.joined()
    }

    static func json(_ listeners: [Snapshot.Listener]) -> JSON {
        .object(["listener_statuses": .array(listeners.map(json))])
    }

    private static func json(_ listener: Snapshot.Listener) -> JSON {
        let addresses = listener.addresses.map {
            JSON.address($0, isDatagram: listener.isDatagram)
        }
        return .object([
            "name": .text(listener.name), "local_address": addresses.first ?? .null,
            "additional_local_addresses": addresses.count > 1
                ? .array(Array(addresses.dropFirst())) : .null,
        ])
    }
}
