// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let listenerSet = [
        SchemaText(
            kind: "ListenerSet", group: "gateway.networking.k8s.io",
            versions: ["v1"],
            text: ##"""
                spec! object
                  listeners! []object n=1..64 keys=name
                    allowedRoutes object
                      kinds []object n=..8
                        group string len=..253
                          ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                          = "gateway.networking.k8s.io"
                        kind! string len=1..63
                          ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      namespaces object
                        from string enum=All|Selector|Same
                          = "Same"
                        selector object
                          matchExpressions []object
                            key! string
                            operator! string
                            values []string
                          matchLabels {}string
                        = {"from": "Same"}
                      = {"namespaces": {"from": "Same"}}
                    hostname string len=1..253
                      ~ ^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    name! string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    port! integer in=1..65535
                    protocol! string len=1..255
                      ~ ^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$
                    tls object
                      ? self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true
                        > certificateRefs or options must be specified when mode is Terminate
                      certificateRefs []object n=..64
                        group string len=..253
                          ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                          = ""
                        kind string len=1..63
                          ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                          = "Secret"
                        name! string len=1..253
                        namespace string len=1..63
                          ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                      mode string enum=Terminate|Passthrough
                        = "Terminate"
                      options {}string len=0..4096 n=..16
                    ?? self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)
                      > tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']
                    ?? self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : true)
                      > tls mode must be Terminate for protocol HTTPS
                    ?? self.all(l, (l.protocol == 'TLS' ? has(l.tls) && has(l.tls.mode) && l.tls.mode != '' : true))
                      > tls mode must be set for protocol TLS
                    ?? self.all(l, l.protocol in ['TCP', 'UDP'] ? (!has(l.hostname) || l.hostname == '') : true)
                      > hostname must not be specified for protocols ['TCP', 'UDP']
                    ?? self.all(l1, self.exists_one(l2, l1.name == l2.name))
                      > Listener name must be unique within the Gateway
                    ?? self.all(l1, !has(l1.port) || self.exists_one(l2, has(l2.port) && l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))
                      > Combination of port, protocol and hostname must be unique for each listener
                  parentRef! object
                    group string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      = "gateway.networking.k8s.io"
                    kind string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      = "Gateway"
                    name! string len=1..253
                    namespace string len=1..63
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                """##),
    ]
}
