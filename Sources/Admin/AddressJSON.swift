import Manifest
import Primitives

extension JSON {
    /// As Envoy's `envoy.config.core.v3.Address` in JSON.
    static func address(_ address: SocketAddress, isDatagram: Bool = false) -> JSON {
        switch address {
        case .ip(let host, let port):
            .object([
                "socket_address": .object([
                    "protocol": isDatagram ? .text("UDP") : .null,
                    "address": .text("\(host)"),
                    "port_value": port == 0 ? .null : .integer(Int(port)),
                ])
            ])
        case .unix(let path): .object(["pipe": .object(["path": .text(path)])])
        }
    }

    /// Proto3's JSON leaves out what is zero, empty or false.
    static func unlessZero(_ value: some BinaryInteger) -> JSON {
        value == 0 ? .null : .integer(Int(clamping: value))
    }

    static func unlessEmpty(_ text: String?) -> JSON {
        text.map { $0.isEmpty ? .null : .text($0) } ?? .null
    }

    static func ifTrue(_ value: Bool) -> JSON { value ? .boolean(true) : .null }
}

extension SocketAddress {
    /// As Envoy writes it: a Unix socket by its path alone.
    var place: String {
        if case .unix(let path) = self { path } else { "\(self)" }
    }
}
