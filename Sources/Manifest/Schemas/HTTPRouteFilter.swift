// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let httpRouteFilter = [
        SchemaText(
            kind: "HTTPRouteFilter", group: "gateway.envoyproxy.io",
            versions: ["v1alpha1"],
            text: ##"""
                spec! object
                  credentialInjection object
                    credential! object
                      valueRef! object
                        group string len=..253
                          ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                          = ""
                        kind string len=1..63
                          ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                          = "Secret"
                        name! string len=1..253
                        namespace string len=1..63
                          ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    header string
                    overwrite boolean
                  directResponse object
                    body object
                      ? (!has(self.type) || self.type == 'Inline')? has(self.inline) : true
                        > inline must be set for type Inline
                      ? (has(self.type) && self.type == 'ValueRef')? has(self.valueRef) : true
                        > valueRef must be set for type ValueRef
                      ? has(self.valueRef) ? self.valueRef.kind == 'ConfigMap' : true
                        > only ConfigMap is supported for ValueRef
                      inline string
                      type! string enum=Inline|ValueRef
                        = "Inline"
                      valueRef object
                        group! string len=..253
                          ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                        kind! string len=1..63
                          ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                        name! string len=1..253
                    contentType string
                    header object
                      ? !has(self.remove) || size(self.remove) == 0
                        > header.remove is not supported for DirectResponse
                      add []object n=..16 keys=name
                        name! string len=1..256
                          ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                        value! string len=1..4096
                      remove []string n=..16 set
                      set []object n=..16 keys=name
                        name! string len=1..256
                          ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                        value! string len=1..4096
                    statusCode integer
                  matches []object n=1.. n=..8
                    cookies []object n=1..16
                      name! string len=1..256
                      type string enum=Exact|RegularExpression
                        = "Exact"
                      value! string len=1..4096
                  urlRewrite object
                    appendXForwardedHost boolean
                    hostname object
                      ? !(has(self.header) && self.type != 'Header')
                        > header must be nil if the type is not Header
                      ? !(!has(self.header) && self.type == 'Header')
                        > header must be specified for Header type
                      ? !(has(self.pathRegex) && self.type != 'PathRegex')
                        > pathRegex must be nil if the type is not PathRegex
                      ? !(!has(self.pathRegex) && self.type == 'PathRegex')
                        > pathRegex must be specified for PathRegex type
                      header string
                      pathRegex object
                        pattern! string len=1..
                        substitution! string len=1..
                          ~ ^[^\r\n\x00]*$
                      type! string enum=Header|Backend|PathRegex
                    path object
                      ? self.type == 'ReplaceRegexMatch' ? has(self.replaceRegexMatch) : !has(self.replaceRegexMatch)
                        > If HTTPPathModifier type is ReplaceRegexMatch, replaceRegexMatch field needs to be set.
                      replaceRegexMatch object
                        pattern! string len=1..
                        substitution! string
                      type! string enum=ReplaceRegexMatch
                """##),
    ]
}
