// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let clientTrafficPolicy = [
        SchemaText(
            kind: "ClientTrafficPolicy", group: "gateway.envoyproxy.io",
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
                def caCertificateRefs
                  group string len=..253
                    ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    = ""
                  kind string len=1..63
                    ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    = "Secret"
                  name! string len=1..253
                  namespace string len=1..63
                    ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                def earlyRequestHeaders
                  add []object n=1..64 keys=name
                    name! string len=1..256
                      ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                    value! string len=1..4096
                  addIfAbsent []object n=1..64 keys=name
                    name! string len=1..256
                      ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                    value! string len=1..4096
                  remove []string n=1..64 set
                  removeOnMatch []object n=1..64
                    type string enum=Exact|Prefix|Suffix|RegularExpression
                      = "Exact"
                    value! string len=1..1024
                  set []object n=1..64 keys=name
                    name! string len=1..256
                      ~ ^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$
                    value! string len=1..4096
                spec! object
                  ? (has(self.targetRef) && !has(self.targetRefs)) || (!has(self.targetRef) && has(self.targetRefs)) || (has(self.targetSelectors) && self.targetSelectors.size() > 0)
                    > either targetRef or targetRefs must be used
                  ? has(self.targetRef) ? self.targetRef.group == 'gateway.networking.k8s.io' : true
                    > this policy can only have a targetRef.group of gateway.networking.k8s.io
                  ? has(self.targetRef) ? self.targetRef.kind in ['Gateway', 'ListenerSet'] : true
                    > this policy can only have a targetRef.kind of Gateway or ListenerSet
                  ? has(self.targetRefs) ? self.targetRefs.all(ref, ref.group == 'gateway.networking.k8s.io') : true
                    > this policy can only have a targetRefs[*].group of gateway.networking.k8s.io
                  ? has(self.targetRefs) ? self.targetRefs.all(ref, ref.kind in ['Gateway', 'ListenerSet']) : true
                    > this policy can only have a targetRefs[*].kind of Gateway or ListenerSet
                  clientIPDetection object
                    ? [has(self.xForwardedFor), has(self.customHeader), has(self.directSourceIP)].filter(x, x).size() == 1
                      > exactly one of xForwardedFor, customHeader, or directSourceIP must be set
                    customHeader object
                      failClosed boolean
                      name! string len=1..255
                        ~ ^[A-Za-z0-9-]+$
                    directSourceIP any-object
                    xForwardedFor object
                      ? (has(self.numTrustedHops) && !has(self.trustedCIDRs)) || (!has(self.numTrustedHops) && has(self.trustedCIDRs))
                        > only one of numTrustedHops or trustedCIDRs must be set
                      disableXForwardedForAppend boolean
                      numTrustedHops integer in=-2147483648..2147483647
                      trustedCIDRs []string n=1..
                        ~ ((25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\/([0-9]+))|((([0-9a-fA-F]{1,4}:){7,7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:)|fe80:(:[0-9a-fA-F]{0,4}){0,4}%[0-9a-zA-Z]{1,}|::(ffff(:0{1,4}){0,1}:){0,1}((25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9])\.){3,3}(25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9])|([0-9a-fA-F]{1,4}:){1,4}:((25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9])\.){3,3}(25[0-5]|(2[0-4]|1{0,1}[0-9]){0,1}[0-9]))\/([0-9]+))
                  connection object
                    bufferLimit quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                    connectionLimit object
                      ? !has(self.closeDelay) || has(self.value)
                        > closeDelay can only be configured when value is set
                      closeDelay string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      maxConnectionDuration string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      maxRequestsPerConnection integer in=-2147483648..2147483647
                      maxStreamDuration string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      value integer in=1..
                    maxAcceptPerSocketEvent integer in=-2147483648..2147483647
                      = 1
                    socketBufferLimit quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                  enableProxyProtocol boolean
                  grpc object
                    enableWeb boolean
                  headers object
                    ? !(has(self.preserveXRequestID) && has(self.requestID))
                      > preserveXRequestID and requestID cannot both be set.
                    disableRateLimitHeaders boolean
                    earlyRequestHeaders object @earlyRequestHeaders
                    enableEnvoyHeaders boolean
                    host object
                      stripTrailingHostDot boolean
                    lateResponseHeaders object @earlyRequestHeaders
                    maxRequestHeaderLimit quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                    preserveXRequestID boolean
                    requestID string enum=PreserveOrGenerate|Preserve|Generate|Disable
                    withUnderscoresAction string enum=Allow|RejectRequest|DropHeader
                    xForwardedClientCert object
                      ? (has(self.certDetailsToAdd) && self.certDetailsToAdd.size() > 0) ? (self.mode == 'AppendForward' || self.mode == 'SanitizeSet') : true
                        > certDetailsToAdd can only be set when mode is AppendForward or SanitizeSet
                      certDetailsToAdd []string enum=Subject|Cert|Chain|DNS|URI n=..5
                      mode string enum=Sanitize|ForwardOnly|AppendForward|SanitizeSet|AlwaysForwardOnly
                  healthCheck object
                    path! string len=1..1024
                  http1 object
                    disableSafeMaxConnectionDuration boolean
                    enableTrailers boolean
                    http10 object
                      useDefaultHost boolean
                    ignoredUpgradeTypes []object
                      type string enum=Exact|Prefix|Suffix|RegularExpression
                        = "Exact"
                      value! string len=1..1024
                    preserveHeaderCase boolean
                  http2 object
                    connectionKeepalive object
                      ? !has(self.timeout) || !has(self.interval) || duration(self.timeout) < duration(self.interval)
                        > timeout must be less than interval
                      idleInterval string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      interval string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      intervalJitter integer in=0..100
                      timeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    initialConnectionWindowSize quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                    initialStreamWindowSize quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                    maxConcurrentStreams integer in=1..2147483647
                    onInvalidMessage string
                  http3 any-object
                  path object
                    disableMergeSlashes boolean
                    escapedSlashesAction string enum=KeepUnchanged|RejectRequest|UnescapeAndForward|UnescapeAndRedirect
                  proxyProtocol object n=0..
                    optional boolean
                  scheme string enum=Preserve|MatchBackend
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
                  tcpKeepalive object
                    idleTime string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    interval string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    probes integer in=-2147483648..2147483647
                  timeout object
                    http object
                      idleTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      requestHeadersReceivedTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      requestReceivedTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      streamIdleTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    tcp object
                      connectionInspectionTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      idleTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      tlsHandshakeTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                  tls object
                    ? has(self.minVersion) && self.minVersion == '1.3' ? !has(self.ciphers) : true
                      > setting ciphers has no effect if the minimum possible TLS version is 1.3
                    ? has(self.minVersion) && has(self.maxVersion) ? {"Auto":0,"1.0":1,"1.1":2,"1.2":3,"1.3":4}[self.minVersion] <= {"1.0":1,"1.1":2,"1.2":3,"1.3":4,"Auto":5}[self.maxVersion] : !has(self.minVersion) && has(self.maxVersion) ? 3 <= {"1.0":1,"1.1":2,"1.2":3,"1.3":4,"Auto":5}[self.maxVersion] : true
                      > minVersion must be smaller or equal to maxVersion
                    alpnProtocols []string
                    ciphers []string
                    clientValidation object
                      ? !has(self.allowExpiredCertificate) || !self.allowExpiredCertificate || !has(self.mode) || self.mode in ['VerifyIfGiven', 'RequireAndVerify']
                        > allowExpiredCertificate can only be set when mode is VerifyIfGiven or RequireAndVerify
                      allowExpiredCertificate boolean
                      caCertificateRefs []object n=..8 @caCertificateRefs
                      certificateHashes []string
                      crl object
                        onlyVerifyLeafCertificate boolean
                        refs! []object n=1..8 @caCertificateRefs
                      mode string enum=Request|RequireAny|VerifyIfGiven|RequireAndVerify
                      optional boolean
                      spkiHashes []string
                      subjectAltNames object
                        dnsNames []object
                          type string enum=Exact|Prefix|Suffix|RegularExpression
                            = "Exact"
                          value! string len=1..1024
                        emailAddresses []object
                          type string enum=Exact|Prefix|Suffix|RegularExpression
                            = "Exact"
                          value! string len=1..1024
                        ipAddresses []object
                          type string enum=Exact|Prefix|Suffix|RegularExpression
                            = "Exact"
                          value! string len=1..1024
                        otherNames []object
                          oid! string
                          type string enum=Exact|Prefix|Suffix|RegularExpression
                            = "Exact"
                          value! string len=1..1024
                        uris []object
                          type string enum=Exact|Prefix|Suffix|RegularExpression
                            = "Exact"
                          value! string len=1..1024
                    ecdhCurves []string
                    fingerprints []string enum=JA3|JA4
                    maxVersion string enum=Auto|1.0|1.1|1.2|1.3
                    minVersion string enum=Auto|1.0|1.1|1.2|1.3
                    session object
                      resumption object
                        stateful any-object
                        stateless any-object
                    signatureAlgorithms []string
                """##),
    ]
}
