// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let referenceGrant = [
        SchemaText(
            kind: "ReferenceGrant", group: "gateway.networking.k8s.io",
            versions: ["v1", "v1beta1"],
            text: ##"""
                spec! object
                  from! []object n=1..16
                    group! string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    kind! string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    namespace! string len=1..63
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                  to! []object n=1..16
                    group! string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    kind! string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    name string len=1..253
                """##),
    ]
}
