// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let grpcRoute = [
        SchemaText(
            kind: "GRPCRoute", group: "gateway.networking.k8s.io",
            versions: ["v1"],
            text: ##"""
                def requestHeaderModifier
                  add []object n=..16 keys=name
                    name! string len=1..256
                      ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                    value! string len=1..4096
                  remove []string n=..16 set
                  set []object n=..16 keys=name
                    name! string len=1..256
                      ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                    value! string len=1..4096
                def filters
                  ? !(has(self.requestHeaderModifier) && self.type != 'RequestHeaderModifier')
                    > filter.requestHeaderModifier must be nil if the filter.type is not RequestHeaderModifier
                  ? !(!has(self.requestHeaderModifier) && self.type == 'RequestHeaderModifier')
                    > filter.requestHeaderModifier must be specified for RequestHeaderModifier filter.type
                  ? !(has(self.responseHeaderModifier) && self.type != 'ResponseHeaderModifier')
                    > filter.responseHeaderModifier must be nil if the filter.type is not ResponseHeaderModifier
                  ? !(!has(self.responseHeaderModifier) && self.type == 'ResponseHeaderModifier')
                    > filter.responseHeaderModifier must be specified for ResponseHeaderModifier filter.type
                  ? !(has(self.requestMirror) && self.type != 'RequestMirror')
                    > filter.requestMirror must be nil if the filter.type is not RequestMirror
                  ? !(!has(self.requestMirror) && self.type == 'RequestMirror')
                    > filter.requestMirror must be specified for RequestMirror filter.type
                  ? !(has(self.extensionRef) && self.type != 'ExtensionRef')
                    > filter.extensionRef must be nil if the filter.type is not ExtensionRef
                  ? !(!has(self.extensionRef) && self.type == 'ExtensionRef')
                    > filter.extensionRef must be specified for ExtensionRef filter.type
                  extensionRef object
                    group! string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    kind! string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    name! string len=1..253
                  requestHeaderModifier object @requestHeaderModifier
                  requestMirror object
                    ? !(has(self.percent) && has(self.fraction))
                      > Only one of percent or fraction may be specified in HTTPRequestMirrorFilter
                    backendRef! object
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
                    fraction object
                      ? self.numerator <= self.denominator
                        > numerator must be less than or equal to denominator
                      denominator integer in=1..2147483647
                        = 100
                      numerator! integer in=0..2147483647
                    percent integer in=0..100
                  responseHeaderModifier object @requestHeaderModifier
                  type! string enum=ResponseHeaderModifier|RequestHeaderModifier|RequestMirror|ExtensionRef
                  ?? self.filter(f, f.type == 'RequestHeaderModifier').size() <= 1
                    > RequestHeaderModifier filter cannot be repeated
                  ?? self.filter(f, f.type == 'ResponseHeaderModifier').size() <= 1
                    > ResponseHeaderModifier filter cannot be repeated
                spec! object
                  hostnames []string len=1..253 n=..16
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
                  rules []object n=..16
                    backendRefs []object n=..16
                      ? (size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true
                        > Must have port for Service reference
                      filters []object n=..16 @filters
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
                    filters []object n=..16 @filters
                    matches []object n=..64
                      headers []object n=..16 keys=name
                        name! string len=1..256
                          ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                        type string enum=Exact|RegularExpression
                          = "Exact"
                        value! string len=1..4096
                      method object
                        ? has(self.type) ? has(self.service) || has(self.method) : true
                          > One or both of 'service' or 'method' must be specified
                        ? (!has(self.type) || self.type == 'Exact') && has(self.service) ? self.service.matches(r"""^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$"""): true
                          > service must only contain valid characters (matching ^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$)
                        ? (!has(self.type) || self.type == 'Exact') && has(self.method) ? self.method.matches(r"""^[A-Za-z_][A-Za-z_0-9]*$"""): true
                          > method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)
                        method string len=..1024
                        service string len=..1024
                        type string enum=Exact|RegularExpression
                          = "Exact"
                    name string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ?? (self.size() > 0 ? (has(self[0].matches) ? self[0].matches.size() : 0) : 0) + (self.size() > 1 ? (has(self[1].matches) ? self[1].matches.size() : 0) : 0) + (self.size() > 2 ? (has(self[2].matches) ? self[2].matches.size() : 0) : 0) + (self.size() > 3 ? (has(self[3].matches) ? self[3].matches.size() : 0) : 0) + (self.size() > 4 ? (has(self[4].matches) ? self[4].matches.size() : 0) : 0) + (self.size() > 5 ? (has(self[5].matches) ? self[5].matches.size() : 0) : 0) + (self.size() > 6 ? (has(self[6].matches) ? self[6].matches.size() : 0) : 0) + (self.size() > 7 ? (has(self[7].matches) ? self[7].matches.size() : 0) : 0) + (self.size() > 8 ? (has(self[8].matches) ? self[8].matches.size() : 0) : 0) + (self.size() > 9 ? (has(self[9].matches) ? self[9].matches.size() : 0) : 0) + (self.size() > 10 ? (has(self[10].matches) ? self[10].matches.size() : 0) : 0) + (self.size() > 11 ? (has(self[11].matches) ? self[11].matches.size() : 0) : 0) + (self.size() > 12 ? (has(self[12].matches) ? self[12].matches.size() : 0) : 0) + (self.size() > 13 ? (has(self[13].matches) ? self[13].matches.size() : 0) : 0) + (self.size() > 14 ? (has(self[14].matches) ? self[14].matches.size() : 0) : 0) + (self.size() > 15 ? (has(self[15].matches) ? self[15].matches.size() : 0) : 0) <= 128
                      > While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128
                """##),
    ]
}
