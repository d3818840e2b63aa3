import Manifest
import Routing

// Client certificates at HTTPS listeners, as the Gateway says (`spec.tls.frontend`). A
// ClientTrafficPolicy that speaks of them goes first.

extension Translation {
    mutating func resolveFrontend(_ state: AttachedListener) {
        guard state.protocol == .https, state.refusal == nil,
            let validation = state.gateway.frontend?.validation(port: state.listener.port.value)
        else { return }
        var fault: ReferenceFault?
        for reference in validation.authorities {
            switch frontendAuthority(reference, of: state.gateway) {
            case .success(let text): state.clientAuthorities.append(text)
            case .failure(let one):
                report(
                    .error, at: reference.name.place, state.gateway.metadata.identity,
                    path: reference.path, rule: one.reason, one.message)
                fault = fault ?? one
            }
        }
        state.clientValidation =
            validation.allowsInsecureFallback ? .request : .requireAndVerify
        guard let fault else { return }
        state.frontendFault = Refusal(reason: fault.reason, message: fault.message)
        // Nobody could be checked against anything: nobody is let in.
        guard state.clientAuthorities.isEmpty else { return }
        state.refusal = Refusal(
            reason: "NoValidCACertificate",
            message: "the Gateway's tls.frontend has no valid certificate authority: "
                + fault.message)
    }

    private func frontendAuthority(
        _ reference: ObjectReference, of gateway: Gateway
    ) -> Result<String, ReferenceFault> {
        guard reference.group.isEmpty, reference.kind == "ConfigMap" || reference.kind == "Secret"
        else {
            return .failure(
                ReferenceFault(
                    reason: "InvalidCACertificateKind",
                    message: "\(reference.kind) of group \"\(reference.group)\" holds no "
                        + "certificate authority; refer to a ConfigMap or Secret"))
        }
        let source = ReferenceGrant.From(
            group: Kind.gatewayGroup, kind: "Gateway", namespace: gateway.metadata.namespace)
        guard index.isPermitted(reference, from: source) else {
            return .failure(
                ReferenceFault(
                    reason: "RefNotPermitted",
                    message: "\(reference.identity) is in another namespace, and no ReferenceGrant "
                        + "there permits Gateway from \(source.namespace)"))
        }
        return authorities([reference]).map { $0[0] }
    }

    /// The Gateway warns for as long as somebody may come without a valid certificate.
    mutating func reportInsecureFrontend(_ gateway: Gateway) {
        guard let frontend = gateway.frontend, frontend.allowsInsecureFallback else { return }
        condition(
            .object(gateway.metadata.identity), of: gateway.metadata,
            "InsecureFrontendValidationMode", true, "ConfigurationChanged",
            "tls.frontend has a validation of mode AllowInsecureFallback: clients without a valid "
                + "certificate are let in")
    }
}
