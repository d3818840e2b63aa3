// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let httpRoute = [
        SchemaText(
            kind: "HTTPRoute", group: "gateway.networking.k8s.io",
            versions: ["v1", "v1beta1"],
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
                def path
                  ? self.type == 'ReplaceFullPath' ? has(self.replaceFullPath) : true
                    > replaceFullPath must be specified when type is set to 'ReplaceFullPath'
                  ? has(self.replaceFullPath) ? self.type == 'ReplaceFullPath' : true
                    > type must be 'ReplaceFullPath' when replaceFullPath is set
                  ? self.type == 'ReplacePrefixMatch' ? has(self.replacePrefixMatch) : true
                    > replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'
                  ? has(self.replacePrefixMatch) ? self.type == 'ReplacePrefixMatch' : true
                    > type must be 'ReplacePrefixMatch' when replacePrefixMatch is set
                  replaceFullPath string len=..1024
                  replacePrefixMatch string len=..1024
                  type! string enum=ReplaceFullPath|ReplacePrefixMatch
                def filters
                  ? !(has(self.cors) && self.type != 'CORS')
                    > filter.cors must be nil if the filter.type is not CORS
                  ? !(!has(self.cors) && self.type == 'CORS')
                    > filter.cors must be specified for CORS filter.type
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
                  ? !(has(self.requestRedirect) && self.type != 'RequestRedirect')
                    > filter.requestRedirect must be nil if the filter.type is not RequestRedirect
                  ? !(!has(self.requestRedirect) && self.type == 'RequestRedirect')
                    > filter.requestRedirect must be specified for RequestRedirect filter.type
                  ? !(has(self.urlRewrite) && self.type != 'URLRewrite')
                    > filter.urlRewrite must be nil if the filter.type is not URLRewrite
                  ? !(!has(self.urlRewrite) && self.type == 'URLRewrite')
                    > filter.urlRewrite must be specified for URLRewrite filter.type
                  ? !(has(self.extensionRef) && self.type != 'ExtensionRef')
                    > filter.extensionRef must be nil if the filter.type is not ExtensionRef
                  ? !(!has(self.extensionRef) && self.type == 'ExtensionRef')
                    > filter.extensionRef must be specified for ExtensionRef filter.type
                  cors object
                    allowCredentials boolean
                    allowHeaders []string len=1..256 n=..64 set
                      ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                      ?? !('*' in self && self.size() > 1)
                        > AllowHeaders cannot contain '*' alongside other methods
                    allowMethods []string enum=GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|* n=..9 set
                      ?? !('*' in self && self.size() > 1)
                        > AllowMethods cannot contain '*' alongside other methods
                    allowOrigins []string len=1..253 n=..64 set
                      ~ (^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)
                      ?? !('*' in self && self.size() > 1)
                        > AllowOrigins cannot contain '*' alongside other origins
                    exposeHeaders []string len=1..256 n=..64 set
                      ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                    maxAge integer in=1..2147483647
                      = 5
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
                  requestRedirect object
                    hostname string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    path object @path
                    port integer in=1..65535
                    scheme string enum=http|https
                    statusCode integer enum=301|302|303|307|308
                      = 302
                  responseHeaderModifier object @requestHeaderModifier
                  type! string enum=RequestHeaderModifier|ResponseHeaderModifier|RequestMirror|RequestRedirect|URLRewrite|ExtensionRef|CORS
                  urlRewrite object
                    hostname string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    path object @path
                  ?? !(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))
                    > May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both
                  ?? self.filter(f, f.type == 'CORS').size() <= 1
                    > CORS filter cannot be repeated
                  ?? self.filter(f, f.type == 'RequestHeaderModifier').size() <= 1
                    > RequestHeaderModifier filter cannot be repeated
                  ?? self.filter(f, f.type == 'ResponseHeaderModifier').size() <= 1
                    > ResponseHeaderModifier filter cannot be repeated
                  ?? self.filter(f, f.type == 'RequestRedirect').size() <= 1
                    > RequestRedirect filter cannot be repeated
                  ?? self.filter(f, f.type == 'URLRewrite').size() <= 1
                    > URLRewrite filter cannot be repeated
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
                  rules []object n=1..16
                    ? (has(self.backendRefs) && size(self.backendRefs) > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true
                      > RequestRedirect filter must not be used together with backendRefs
                    ? (has(self.filters) && self.filters.exists_one(f, has(f.requestRedirect) && has(f.requestRedirect.path) && f.requestRedirect.path.type == 'ReplacePrefixMatch' && has(f.requestRedirect.path.replacePrefixMatch))) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true
                      > When using RequestRedirect filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified
                    ? (has(self.filters) && self.filters.exists_one(f, has(f.urlRewrite) && has(f.urlRewrite.path) && f.urlRewrite.path.type == 'ReplacePrefixMatch' && has(f.urlRewrite.path.replacePrefixMatch))) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true
                      > When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified
                    ? (has(self.backendRefs) && self.backendRefs.exists_one(b, (has(b.filters) && b.filters.exists_one(f, has(f.requestRedirect) && has(f.requestRedirect.path) && f.requestRedirect.path.type == 'ReplacePrefixMatch' && has(f.requestRedirect.path.replacePrefixMatch))) )) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true
                      > Within backendRefs, when using RequestRedirect filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified
                    ? (has(self.backendRefs) && self.backendRefs.exists_one(b, (has(b.filters) && b.filters.exists_one(f, has(f.urlRewrite) && has(f.urlRewrite.path) && f.urlRewrite.path.type == 'ReplacePrefixMatch' && has(f.urlRewrite.path.replacePrefixMatch))) )) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true
                      > Within backendRefs, When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified
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
                      method string enum=GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH
                      path object
                        ? (self.type in ['Exact','PathPrefix']) ? self.value.startsWith('/') : true
                          > value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.contains('//') : true
                          > must not contain '//' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.contains('/./') : true
                          > must not contain '/./' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.contains('/../') : true
                          > must not contain '/../' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.contains('%2f') : true
                          > must not contain '%2f' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.contains('%2F') : true
                          > must not contain '%2F' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.contains('#') : true
                          > must not contain '#' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.endsWith('/..') : true
                          > must not end with '/..' when type one of ['Exact', 'PathPrefix']
                        ? (self.type in ['Exact','PathPrefix']) ? !self.value.endsWith('/.') : true
                          > must not end with '/.' when type one of ['Exact', 'PathPrefix']
                        ? self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'
                          > type must be one of ['Exact', 'PathPrefix', 'RegularExpression']
                        ? (self.type in ['Exact','PathPrefix']) ? self.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""") : true
                          > must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']
                        type string enum=Exact|PathPrefix|RegularExpression
                          = "PathPrefix"
                        value string len=..1024
                          = "/"
                        = {"type": "PathPrefix", "value": "/"}
                      queryParams []object n=..16 keys=name
                        name! string len=1..256
                          ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                        type string enum=Exact|RegularExpression
                          = "Exact"
                        value! string len=1..1024
                      == [{"path": {"type": "PathPrefix", "value": "/"}}]
                    name string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    timeouts object
                      ? !(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))
                        > backendRequest timeout cannot be longer than request timeout
                      backendRequest string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      request string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    ?? (self.size() > 0 ? self[0].matches.size() : 0) + (self.size() > 1 ? self[1].matches.size() : 0) + (self.size() > 2 ? self[2].matches.size() : 0) + (self.size() > 3 ? self[3].matches.size() : 0) + (self.size() > 4 ? self[4].matches.size() : 0) + (self.size() > 5 ? self[5].matches.size() : 0) + (self.size() > 6 ? self[6].matches.size() : 0) + (self.size() > 7 ? self[7].matches.size() : 0) + (self.size() > 8 ? self[8].matches.size() : 0) + (self.size() > 9 ? self[9].matches.size() : 0) + (self.size() > 10 ? self[10].matches.size() : 0) + (self.size() > 11 ? self[11].matches.size() : 0) + (self.size() > 12 ? self[12].matches.size() : 0) + (self.size() > 13 ? self[13].matches.size() : 0) + (self.size() > 14 ? self[14].matches.size() : 0) + (self.size() > 15 ? self[15].matches.size() : 0) <= 128
                      > While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128
                    == [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]
                """##),
    ]
}
