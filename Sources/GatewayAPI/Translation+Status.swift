import Manifest
import Routing

// What is said of GatewayClasses, Gateways, ListenerSets and their listeners in the end.

extension Translation {
    mutating func translate(_ gatewayClass: GatewayClass) {
        guard gatewayClass.isOurs else {
            let name = gatewayClass.controllerName
            return report(
                .note, at: name?.place ?? gatewayClass.metadata.place,
                gatewayClass.metadata.identity, path: "spec.controllerName",
                rule: "OtherController",
                "\(name?.value ?? "none") is another controller; its Gateways are left to it")
        }
        condition(
            .object(gatewayClass.metadata.identity), of: gatewayClass.metadata, "Accepted", true,
            "Accepted")
    }

    mutating func report(_ gateway: Gateway) {
        guard isOurs(gateway) else { return }
        let identity = gateway.metadata.identity
        let own = listenersOfOwner[identity] ?? []
        let fault = fault(of: gateway)
        let served = own.count { listeners[$0].isServed }
        let reason = fault?.reason ?? (served == own.count ? "Accepted" : "ListenersNotValid")
        condition(
            .object(identity), of: gateway.metadata, "Accepted", fault == nil, reason,
            fault?.message
                ?? (served == own.count
                    ? "" : "\(own.count - served) of the listeners are not served"))
        let programmed = programming(of: gateway, own, fault)
        condition(
            .object(identity), of: gateway.metadata, "Programmed", programmed == nil,
            programmed?.reason ?? "Programmed", programmed?.message ?? "")
        reportClientCertificate(gateway)
        reportInsecureFrontend(gateway)
        for number in own { report(listeners[number]) }
        for set in objects.listenerSets.sorted(by: { $0.metadata.precedes($1.metadata) })
        where set.parent?.identity == identity {
            report(set, of: gateway)
        }
    }

    /// Why nothing of the Gateway runs; nil = something does.
    private func programming(of gateway: Gateway, _ own: [Int], _ fault: Refusal?) -> Refusal? {
        if let fault {
            let isAddress = fault.reason == "UnsupportedAddress"
            return Refusal(
                reason: isAddress ? "AddressNotUsable" : "Invalid", message: fault.message)
        }
        guard !own.contains(where: { listeners[$0].isServed }) else { return nil }
        return Refusal(reason: "Invalid", message: "no listener is served")
    }

    /// Why nothing of the Gateway is served.
    func fault(of gateway: Gateway) -> Refusal? {
        let isUsable = !gateway.addresses.contains {
            if case .unsupported = $0.value { true } else { false }
        }
        guard isUsable else {
            return Refusal(
                reason: "UnsupportedAddress",
                message: "an address is of a type that cannot be listened on")
        }
        if let parameters = gateway.parameters,
            !objects.ignored.contains(parameters.identity),
            objects.configMaps[parameters.identity] == nil
        {
            return Refusal(
                reason: "InvalidParameters",
                message: "infrastructure.parametersRef: there is no \(parameters.identity)")
        }
        return nil
    }

    private mutating func reportClientCertificate(_ gateway: Gateway) {
        guard let reference = gateway.clientCertificate else { return }
        let source = ReferenceGrant.From(
            group: Kind.gatewayGroup, kind: "Gateway", namespace: gateway.metadata.namespace)
        var refusal: Refusal?
        if case .failure(let fault) = certificate(reference, from: source) {
            let isForbidden = fault.reason == "RefNotPermitted"
            refusal = Refusal(
                reason: isForbidden ? fault.reason : "InvalidClientCertificateRef",
                message: fault.message)
            report(
                .error, at: reference.name.place, gateway.metadata.identity, path: reference.path,
                rule: fault.reason, fault.message)
        }
        condition(
            .object(gateway.metadata.identity), of: gateway.metadata, "ResolvedRefs",
            refusal == nil, refusal?.reason ?? "ResolvedRefs", refusal?.message ?? "")
    }

    private mutating func report(_ set: ListenerSet, of gateway: Gateway) {
        let subject = Condition.Subject.object(set.metadata.identity)
        let own = listenersOfOwner[set.metadata.identity] ?? []
        guard allows(gateway.allowedListeners, set.metadata.namespace, of: gateway.metadata) else {
            let message = "\(gateway.metadata.identity) allows no ListenerSets of this namespace"
            condition(subject, of: set.metadata, "Accepted", false, "NotAllowed", message)
            condition(subject, of: set.metadata, "Programmed", false, "NotAllowed", message)
            report(
                .error, at: set.metadata.place, set.metadata.identity, path: "spec.parentRef",
                rule: "NotAllowed",
                message + "; see its allowedListeners")
            return
        }
        let served = own.count { listeners[$0].isServed }
        let isWhole = served == own.count
        condition(
            subject, of: set.metadata, "Accepted", served > 0,
            isWhole ? "Accepted" : "ListenersNotValid",
            isWhole ? "" : "\(own.count - served) of the listeners are not served")
        condition(
            subject, of: set.metadata, "Programmed", served > 0,
            served == 0 ? "ListenersNotValid" : "Programmed")
        for number in own { report(listeners[number]) }
    }

    private mutating func report(_ state: AttachedListener) {
        let owner = state.owner
        let subject = Condition.Subject.listener(owner.identity, name: state.listener.name.value)
        condition(
            subject, of: owner, "Accepted", state.refusal == nil,
            state.refusal?.reason ?? "Accepted", state.refusal?.message ?? "")
        condition(
            subject, of: owner, "Conflicted", state.conflict != nil,
            state.conflict ?? "NoConflicts",
            state.conflict == nil ? "" : state.refusal?.message ?? "")
        let unresolved = state.unresolved ?? state.frontendFault
        condition(
            subject, of: owner, "ResolvedRefs", unresolved == nil,
            unresolved?.reason ?? "ResolvedRefs", unresolved?.message ?? "")
        condition(
            subject, of: owner, "Programmed", state.isServed,
            state.isServed ? "Programmed" : "Invalid")
        reportOverlap(state, subject)
        statuses.append(
            ListenerStatus(
                owner: owner.identity, name: state.listener.name.value, supportedKinds: state.kinds,
                attachedRoutes: state.attachments.count))
    }

    /// One connection of HTTP/2 may carry requests for all names of its certificate; where another
    /// listener of the port has some of them, they reach the wrong one.
    private mutating func reportOverlap(
        _ state: AttachedListener, _ subject: Condition.Subject
    ) {
        guard state.protocol == .https, state.isServed else { return }
        let others = listenersOfHTTPS[state.httpsPlace, default: []].map { listeners[$0] }
            .filter { $0 !== state && $0.isServed && $0.host != state.host }
        func tell(_ reason: String, _ message: String) {
            condition(subject, of: state.owner, "OverlappingTLSConfig", true, reason, message)
        }
        if let other = others.first(where: { $0.host.intersection(state.host) != nil }) {
            return tell(
                "OverlappingHostnames",
                "\(state.host) and \(other.host) of listener \(other.listener.name.value) have "
                    + "names in common")
        }
        for other in others {
            guard let (own, its) = state.certificateOverlap(other) else { continue }
            return tell(
                "OverlappingCertificates",
                "\(own) and \(its) in certificates of listener \(other.listener.name.value) "
                    + "have names in common")
        }
    }
}
