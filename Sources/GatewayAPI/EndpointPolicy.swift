import Manifest

/// An EndpointPolicy (apus.dev/v1alpha1): what no kind of the Gateway API can say about a Backend,
/// said outside of it, so that the Backend stays valid for its real CRD.
struct EndpointPolicy: Sendable {
    let metadata: Metadata
    let targets: [PolicyTarget]
    let udp: UDP

    /// `spec.udp`; nil = not said.
    struct UDP: Sendable {
        var idleTimeoutMilliseconds: UInt32?
        var expectedResponses: UInt32?
        var flowsMax: UInt32?
        var flowsPerSourceMax: UInt32?
    }

    /// A flow table beyond this would be memory that nobody meant to give.
    static let flowsMaxMax: Int64 = 1 << 24
}

extension EndpointPolicy {
    init(metadata: Metadata, spec: inout Fields) {
        self.metadata = metadata
        targets = spec.targets(group: Kind.envoyGroup, kinds: ["Backend"])
        for target in targets where target.sectionName != nil {
            spec.log.error(
                at: target.name.place, path: "\(target.path).sectionName",
                "a Backend has no sections; remove it")
        }
        var udp = UDP()
        if var fields = spec.mapping("udp") {
            udp.idleTimeoutMilliseconds = fields.duration("idleTimeout", in: 1...UInt32.max)?.value
            udp.expectedResponses = fields.integer("expectedResponses", in: 1...65_535)
                .map { UInt32($0.value) }
            udp.flowsMax = fields.integer("flowsMax", in: 1...Self.flowsMaxMax)
                .map { UInt32($0.value) }
            udp.flowsPerSourceMax = fields.integer("flowsPerSourceMax", in: 1...Self.flowsMaxMax)
                .map { UInt32($0.value) }
            fields.finish()
        }
        self.udp = udp
        spec.finish()
    }
}
