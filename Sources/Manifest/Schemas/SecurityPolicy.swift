// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let securityPolicy = [
        SchemaText(
            kind: "SecurityPolicy", group: "gateway.envoyproxy.io",
            versions: ["v1alpha1"],
            text: ##"""
                def targetRef
                  group! string len=..253
                    ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                  kind! string len=1..63
                    ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                  name! string len=1..253
                  sectionName string len=1..253
                    ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                spec! object
                  ? (has(self.targetRef) && !has(self.targetRefs)) || (!has(self.targetRef) && has(self.targetRefs)) || (has(self.targetSelectors) && self.targetSelectors.size() > 0)
                    > either targetRef or targetRefs must be used
                  ? has(self.targetRef) ? self.targetRef.group == 'gateway.networking.k8s.io' : true
                    > this policy can only have a targetRef.group of gateway.networking.k8s.io
                  ? has(self.targetRef) ? self.targetRef.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute', 'TCPRoute'] : true
                    > this policy can only have a targetRef.kind of Gateway/ListenerSet/HTTPRoute/GRPCRoute/TCPRoute
                  ? has(self.targetRefs) ? self.targetRefs.all(ref, ref.group == 'gateway.networking.k8s.io') : true
                    > this policy can only have a targetRefs[*].group of gateway.networking.k8s.io
                  ? has(self.targetRefs) ? self.targetRefs.all(ref, ref.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute', 'TCPRoute']) : true
                    > this policy can only have a targetRefs[*].kind of Gateway/ListenerSet/HTTPRoute/GRPCRoute/TCPRoute
                  ? !has(self.mergeType) || ((!has(self.targetRef) || self.targetRef.kind in ['HTTPRoute', 'GRPCRoute', 'TCPRoute']) && (!has(self.targetRefs) || self.targetRefs.all(ref, ref.kind in ['HTTPRoute', 'GRPCRoute', 'TCPRoute'])) && (!has(self.targetSelectors) || self.targetSelectors.all(sel, sel.kind in ['HTTPRoute', 'GRPCRoute', 'TCPRoute'])))
                    > mergeType can only be used with xRoute targets
                  ? (has(self.authorization) && has(self.authorization.rules) && self.authorization.rules.exists(r, has(r.principal) ? has(r.principal.jwt) : false)) ? has(self.jwt) : true
                    > if authorization.rules.principal.jwt is used, jwt must be defined
                  apiKeyAuth any
                  authorization object
                    defaultAction string enum=Allow|Deny
                    rules []object
                      ? has(self.principal) || has(self.cel)
                        > at least one of principal or cel must be specified
                      action! string enum=Allow|Deny
                      cel string len=1..4096
                      name string len=1..253
                      operation object
                        ? has(self.methods) || has(self.path)
                          > at least one of methods or path must be specified
                        methods []string enum=GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH n=1..16
                        path object
                          invert boolean
                            = false
                          type string enum=Exact|PathPrefix|RegularExpression
                            = "PathPrefix"
                          value! string len=..1024
                            = "/"
                      principal object
                        ? (has(self.clientCIDRs) || has(self.jwt) || has(self.headers) || has(self.clientIPGeoLocations))
                          > at least one of clientCIDRs, jwt, headers, or clientIPGeoLocations must be specified
                        clientCIDRs []string n=1..
                          ~ ((25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\/([0-9]+))|((([0-9a-fA-F]{1,4}:){7,7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:)|fe80:(:[0-9a-fA-F]{0,4}){0,4}%[0-9a-zA-Z]{1,}|::(ffff(:0{1,4}){0,1}:){0,1}((25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9])\.){3,3}(25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9])|([0-9a-fA-F]{1,4}:){1,4}:((25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9])\.){3,3}(25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9]))\/([0-9]+))
                        clientIPGeoLocations []object n=1..
                          ? has(self.country) || has(self.region) || has(self.city) || has(self.asn) || has(self.isp) || has(self.anonymous)
                            > at least one of country, region, city, asn, isp, or anonymous must be specified
                          anonymous object
                            ? has(self.isAnonymous) || has(self.isVPN) || has(self.isHosting) || has(self.isTor) || has(self.isProxy)
                              > at least one of isAnonymous, isVPN, isHosting, isTor, or isProxy must be specified
                            isAnonymous boolean
                            isHosting boolean
                            isProxy boolean
                            isTor boolean
                            isVPN boolean
                          asn integer in=1..2147483647
                          city string len=1..128
                          country string len=2..2
                            ~ ^[A-Za-z]{2}$
                          isp string len=1..256
                          region string len=1..16
                            ~ ^[A-Za-z0-9-]+$
                        headers []object n=1..256
                          name! string len=1..256
                          values! []string n=1..256
                        jwt object
                          ? (has(self.claims) || has(self.scopes))
                            > at least one of claims or scopes must be specified
                          claims []object n=1..16
                            name! string len=1..253
                            valueType string enum=String|StringArray
                              = "String"
                            values! []string n=1..128
                          provider! string len=1..253
                          scopes []string len=1..253 n=1..16
                  basicAuth any
                  cors object
                    allowCredentials boolean
                    allowHeaders []string
                    allowMethods []string
                    allowOrigins []string len=1..253
                      ~ ^(\*|[A-Za-z][A-Za-z0-9+.-]*:\/\/(\*|(\*\.)?(([\w-]+\.?)+)?[\w-]+)(:\d{1,5})?)$
                    exposeHeaders []string
                    maxAge string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                  csrf any
                  extAuth any
                  jwt any
                  mergeType string
                    ? self != 'Replace'
                      > Replace is not a valid MergeType for SecurityPolicy
                  oidc any
                  targetRef object @targetRef
                  targetRefs []object @targetRef
                  targetSelectors []object
                    ? has(self.group) ? self.group == 'gateway.networking.k8s.io' : true
                      > group must be gateway.networking.k8s.io
                    group string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      = "gateway.networking.k8s.io"
                    kind! string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    matchExpressions []object
                      key! string
                      operator! string
                      values []string
                    matchLabels {}string
                    namespaces object
                      ? self.from != 'Selector' || has(self.selector)
                        > selector must be specified when from is Selector
                      from! string enum=Same|All|Selector
                        = "Same"
                      selector object
                        matchExpressions []object
                          key! string
                          operator! string
                          values []string
                        matchLabels {}string
                """##),
    ]
}
