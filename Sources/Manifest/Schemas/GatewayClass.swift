// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let gatewayClass = [
        SchemaText(
            kind: "GatewayClass", group: "gateway.networking.k8s.io",
            versions: ["v1", "v1beta1"],
            text: ##"""
                spec! object
                  controllerName! string len=1..253
                    ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$
                    ? self == oldSelf
                      > field is immutable
                  description string len=..64
                  parametersRef object
                    group! string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    kind! string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    name! string len=1..253
                    namespace string len=1..63
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                """##),
    ]
}
