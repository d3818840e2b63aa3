import Manifest

/// Everything that the files say, as typed objects. Made by `ObjectDecoder`, read by `translate()`.
struct Objects: Sendable {
    var gateways: [Gateway] = []
    var routes: [Route] = []
    var backends: [Backend] = []
    var grants: [ReferenceGrant] = []
    var clientPolicies: [ClientTrafficPolicy] = []
    var backendPolicies: [BackendTrafficPolicy] = []
    var endpointPolicies: [EndpointPolicy] = []
    /// Objects that are written but could not be read. Their own errors tell; that others do not
    /// find them is no news.
    var refused: Set<ObjectIdentity> = []
    /// Objects of kinds that are known and not served, so that references to them can say so.
    var notServed: Set<ObjectIdentity> = []
}
