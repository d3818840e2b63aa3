// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let gateway = [
        SchemaText(
            kind: "Gateway", group: "gateway.networking.k8s.io",
            versions: ["v1", "v1beta1"],
            text: ##"""
                def certificateRefs
                  group string len=..253
                    ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    = ""
                  kind string len=1..63
                    ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    = "Secret"
                  name! string len=1..253
                  namespace string len=1..63
                    ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                def default
                  validation object
                    caCertificateRefs! []object n=1..16
                      group! string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      kind! string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      name! string len=1..253
                      namespace string len=1..63
                        ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    mode string enum=AllowValidOnly|AllowInsecureFallback
                      = "AllowValidOnly"
                spec! object
                  addresses []object n=..16
                    ? self.type == 'Hostname' ? (!has(self.value) || self.value.matches(r"""^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$""")): true
                      > Hostname value must be empty or contain only valid characters (matching ^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)
                    type string len=1..253
                      ~ ^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$
                      = "IPAddress"
                    value string len=..253
                    ?? self.all(a1, a1.type == 'IPAddress' && has(a1.value) ? self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true )
                      > IPAddress values must be unique
                    ?? self.all(a1, a1.type == 'Hostname' && has(a1.value) ? self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true )
                      > Hostname values must be unique
                  allowedListeners object
                    namespaces object
                      from string enum=All|Selector|Same|None
                        = "None"
                      selector object
                        matchExpressions []object
                          key! string
                          operator! string
                          values []string
                        matchLabels {}string
                      = {"from": "None"}
                  gatewayClassName! string len=1..253
                  infrastructure object
                    annotations {}string len=0..4096 n=..16
                      ?? self.all(key, key.matches(r"""^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"""))
                        > Annotation keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.
                      ?? self.all(key, key.split("/")[0].size() < 253)
                        > If specified, the annotation key's prefix must be a DNS subdomain not longer than 253 characters in total.
                    labels {}string len=0..63 n=..8
                      ~ ^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$
                      ?? self.all(key, key.matches(r"""^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"""))
                        > Label keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.
                      ?? self.all(key, key.split("/")[0].size() < 253)
                        > If specified, the label key's prefix must be a DNS subdomain not longer than 253 characters in total.
                    parametersRef object
                      group! string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      kind! string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      name! string len=1..253
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
                      certificateRefs []object n=..64 @certificateRefs
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
                    ?? self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))
                      > Combination of port, protocol and hostname must be unique for each listener
                  tls object
                    backend object
                      clientCertificateRef object @certificateRefs
                    frontend object
                      default! object @default
                      perPort []object n=..64 keys=port
                        port! integer in=1..65535
                        tls! object @default
                        ?? self.all(t1, self.exists_one(t2, t1.port == t2.port))
                          > Port for TLS configuration must be unique within the Gateway
                """##),
    ]
}
