import Manifest

/// An ApusConfig (apus.dev/v1alpha1): settings of the process, which flags say as well. Flags go
/// first.
public struct ApusConfig: Hashable, Sendable {
    public var workers: Int?
    public var connectionsMax: Int?
    public var drainTimeoutMilliseconds: UInt32?
    public var logLevel: String?
    public var zone: String?
    public var admin: AdminAddress?
    /// Where the object stands.
    public let place: SourcePlace

    init(metadata: Metadata, spec: Fields) {
        place = metadata.place
        workers = spec.number("workers")?.value
        connectionsMax = spec.number("connectionsMax")?.value
        drainTimeoutMilliseconds = spec.duration("drainTimeout")?.value
        logLevel = spec.text("logLevel")?.value
        zone = spec.text("zone")?.value
        if let text = spec.text("admin") {
            admin = AdminAddress(text.value)
            if admin == nil {
                spec.log.error(
                    at: text.place, path: spec.path(of: "admin"),
                    "no place for the admin server; write \(AdminAddress.forms)")
            }
        }
    }
}
