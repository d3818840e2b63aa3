// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let tlsRoute = [
        SchemaText(
            kind: "TLSRoute", group: "gateway.networking.k8s.io",
            versions: ["v1"],
            text: ##"""
                spec! object
                  hostnames! []string len=1..253 n=1..1024
                    ~ ^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ?? self.all(h, !isIP(h))
                      > Hostnames cannot contain an IP
                    ?? self.all(h, !h.contains('*') ? h.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$') : true)
                      > Hostnames must be valid based on RFC-1123
                    ?? self.all(h, h.contains('*') ? (h.startsWith('*.') && h.substring(2).matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$')) : true)
                      > Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123
                  parentRefs []object n=..32
                    group string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      = "gateway.networking.k8s.io"
                    kind string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      = "Gateway"
                    name! string len=1..253
                    namespace string len=1..63
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    port integer in=1..65535
                    sectionName string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ?? self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))
                      > sectionName must be specified when parentRefs includes 2 or more references to the same parent
                    ?? self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || (has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName))))
                      > sectionName must be unique when parentRefs includes 2 or more references to the same parent
                  rules! []object n=1..1
                    backendRefs! []object n=1..16
                      ? (size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true
                        > Must have port for Service reference
                      group string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                        = ""
                      kind string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                        = "Service"
                      name! string len=1..253
                      namespace string len=1..63
                        ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                      port integer in=1..65535
                      weight integer in=0..1000000
                        = 1
                    name string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                """##),
        SchemaText(
            kind: "TLSRoute", group: "gateway.networking.k8s.io",
            versions: ["v1alpha2"],
            text: ##"""
                spec! object
                  hostnames []string len=1..253 n=..1024
                    ~ ^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                  parentRefs []object n=..32
                    group string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      = "gateway.networking.k8s.io"
                    kind string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      = "Gateway"
                    name! string len=1..253
                    namespace string len=1..63
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    port integer in=1..65535
                    sectionName string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ?? self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))
                      > sectionName must be specified when parentRefs includes 2 or more references to the same parent
                    ?? self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || (has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName))))
                      > sectionName must be unique when parentRefs includes 2 or more references to the same parent
                  rules! []object n=1..16
                    backendRefs! []object n=1..16
                      ? (size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true
                        > Must have port for Service reference
                      group string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                        = ""
                      kind string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                        = "Service"
                      name! string len=1..253
                      namespace string len=1..63
                        ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                      port integer in=1..65535
                      weight integer in=0..1000000
                        = 1
                    name string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                """##),
        SchemaText(
            kind: "TLSRoute", group: "gateway.networking.k8s.io",
            versions: ["v1alpha3"],
            text: ##"""
                spec! object
                  hostnames! []string len=1..253 n=1..1024
                    ~ ^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ?? self.all(h, !isIP(h))
                      > Hostnames cannot contain an IP
                    ?? self.all(h, !h.contains('*') ? h.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$') : true)
                      > Hostnames must be valid based on RFC-1123
                    ?? self.all(h, h.contains('*') ? (h.startsWith('*.') && h.substring(2).matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$')) : true)
                      > Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123
                  parentRefs []object n=..32
                    group string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      = "gateway.networking.k8s.io"
                    kind string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      = "Gateway"
                    name! string len=1..253
                    namespace string len=1..63
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    port integer in=1..65535
                    sectionName string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ?? self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))
                      > sectionName must be specified when parentRefs includes 2 or more references to the same parent
                    ?? self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || (has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName))))
                      > sectionName must be unique when parentRefs includes 2 or more references to the same parent
                  rules! []object n=1..1
                    backendRefs! []object n=1..16
                      ? (size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true
                        > Must have port for Service reference
                      group string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                        = ""
                      kind string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                        = "Service"
                      name! string len=1..253
                      namespace string len=1..63
                        ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                      port integer in=1..65535
                      weight integer in=0..1000000
                        = 1
                    name string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                """##),
    ]
}
