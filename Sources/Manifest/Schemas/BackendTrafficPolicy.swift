// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let backendTrafficPolicy = [
        SchemaText(
            kind: "BackendTrafficPolicy", group: "gateway.envoyproxy.io",
            versions: ["v1alpha1"],
            text: ##"""
                def expectedResponse
                  ? self.type == 'Text' ? has(self.text) : !has(self.text)
                    > If payload type is Text, text field needs to be set.
                  ? self.type == 'Binary' ? has(self.binary) : !has(self.binary)
                    > If payload type is Binary, binary field needs to be set.
                  binary string format=byte
                  text string
                  type! string enum=Text|Binary
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
                  ? has(self.targetRef) ? self.targetRef.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute', 'UDPRoute', 'TCPRoute', 'TLSRoute'] : true
                    > this policy can only have a targetRef.kind of Gateway/ListenerSet/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute
                  ? has(self.targetRefs) ? self.targetRefs.all(ref, ref.group == 'gateway.networking.k8s.io') : true
                    > this policy can only have a targetRefs[*].group of gateway.networking.k8s.io
                  ? has(self.targetRefs) ? self.targetRefs.all(ref, ref.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute', 'UDPRoute', 'TCPRoute', 'TLSRoute']) : true
                    > this policy can only have a targetRefs[*].kind of Gateway/ListenerSet/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute
                  ? !has(self.mergeType) || ((!has(self.targetRef) || self.targetRef.kind in ['HTTPRoute', 'GRPCRoute', 'UDPRoute', 'TCPRoute', 'TLSRoute']) && (!has(self.targetRefs) || self.targetRefs.all(ref, ref.kind in ['HTTPRoute', 'GRPCRoute', 'UDPRoute', 'TCPRoute', 'TLSRoute'])) && (!has(self.targetSelectors) || self.targetSelectors.all(sel, sel.kind in ['HTTPRoute', 'GRPCRoute', 'UDPRoute', 'TCPRoute', 'TLSRoute'])))
                    > mergeType can only be used with xRoute targets
                  ? !has(self.compression) || !has(self.compressor)
                    > either compression or compressor can be set, not both
                  ? !has(self.requestBuffer) || !has(self.httpUpgrade) || self.httpUpgrade.size() == 0
                    > requestBuffer cannot be used together with httpUpgrade
                  ? !has(self.admissionControl) || ((!has(self.targetRef) || self.targetRef.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute']) && (!has(self.targetRefs) || self.targetRefs.all(ref, ref.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute'])) && (!has(self.targetSelectors) || self.targetSelectors.all(sel, sel.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute'])))
                    > admissionControl can only be used with HTTPRoute, GRPCRoute, Gateway, or ListenerSet targets
                  ? !((has(self.connection) && has(self.connection.preconnect) && has(self.connection.preconnect.predictivePercent)) && !(has(self.loadBalancer) && has(self.loadBalancer.type) && self.loadBalancer.type in ['Random', 'RoundRobin']))
                    > predictivePercent in preconnect policy only works with RoundRobin or Random load balancers
                  admissionControl any
                  bandwidthLimit object
                    ? has(self.request) || has(self.response)
                      > at least one of request or response must be specified
                    request object
                      limit! object
                        unit! string enum=Second|Minute|Hour
                        value! quantity
                          ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                          ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                    response object
                      limit! object
                        unit! string enum=Second|Minute|Hour
                        value! quantity
                          ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                          ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                      responseTrailers object
                        prefix string
                          ~ ^[^\r\n\x00]*$
                  circuitBreaker object
                    maxConnections integer in=0..4294967295
                      = 1024
                    maxParallelRequests integer in=0..4294967295
                      = 1024
                    maxParallelRetries integer in=0..4294967295
                      = 1024
                    maxPendingRequests integer in=0..4294967295
                      = 1024
                    maxRequestsPerConnection integer in=0..4294967295
                    perEndpoint object
                      maxConnections integer in=0..4294967295
                        = 1024
                    retryBudget object
                      minRetryConcurrency integer in=-2147483648..2147483647
                      percent! object
                        ? self.numerator <= self.denominator
                          > numerator must be less than or equal to denominator
                        denominator integer in=1..2147483647
                          = 100
                        numerator! integer in=0..2147483647
                  compression any
                  compressor any
                  connection object
                    bufferLimit quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                    preconnect object
                      perEndpointPercent integer in=100..300
                      predictivePercent integer in=100..2147483647
                    socketBufferLimit quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                  dns object
                    dnsRefreshRate string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    lookupFamily string enum=IPv4|IPv6|IPv4Preferred|IPv6Preferred|IPv4AndIPv6
                    respectDnsTtl boolean
                  faultInjection any
                  healthCheck object
                    active object
                      ? self.type == 'HTTP' ? has(self.http) : !has(self.http)
                        > If Health Checker type is HTTP, http field needs to be set.
                      ? self.type == 'TCP' ? has(self.tcp) : !has(self.tcp)
                        > If Health Checker type is TCP, tcp field needs to be set.
                      ? has(self.grpc) ? self.type == 'GRPC' : true
                        > The grpc field can only be set if the Health Checker type is GRPC.
                      grpc object
                        service string
                      healthCheckLog object
                        matches []string enum=Failure|FailureSeriesStart|Success|HealthyTransition n=..4 set
                          ?? self.exists(e, e == 'Failure' || e == 'FailureSeriesStart') == self.exists(e, e == 'Success' || e == 'HealthyTransition')
                            > a failure type and a success type must both be specified together
                        sinks []object n=..1
                          ? self.type == 'File' ? has(self.file) : !has(self.file)
                            > If ProxyHealthCheckLogSink type is File, file field needs to be set.
                          file object
                            path! string len=1..
                          type! string enum=File
                      healthyThreshold integer in=1..2147483647
                        = 1
                      http object
                        ? !has(self.requestBody) || (has(self.method) && self.method.upperAscii() in ['POST','PUT'])
                          > The requestBody field can only be set when method is POST or PUT.
                        expectedResponse object @expectedResponse
                        expectedStatuses []integer in=100..599
                        hostname string len=1..253
                          ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                        method string len=..16
                        path! string len=1..1024
                        requestBody object @expectedResponse
                        retriableStatuses []integer in=100..599
                      initialJitter string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      interval string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                        = "3s"
                      overrides object
                        port integer in=1..65535
                      tcp object
                        receive object @expectedResponse
                        send object @expectedResponse
                      timeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                        = "1s"
                      type! string enum=HTTP|TCP|GRPC
                      unhealthyThreshold integer in=1..2147483647
                        = 3
                    panicThreshold integer in=0..100
                    passive object
                      alwaysEjectOneEndpoint boolean
                        = false
                      baseEjectionTime string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                        = "30s"
                      consecutive5XxErrors integer in=-2147483648..2147483647
                        = 5
                      consecutiveGatewayErrors integer in=-2147483648..2147483647
                      consecutiveLocalOriginFailures integer in=-2147483648..2147483647
                        = 5
                      failurePercentageThreshold integer in=0..100
                      interval string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                        = "3s"
                      maxEjectionPercent integer in=0..100
                        = 10
                      splitExternalLocalOriginErrors boolean
                        = false
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
                  httpUpgrade []object
                    ? !has(self.connect) || self.type == 'CONNECT'
                      > The connect configuration is only allowed when the type is CONNECT.
                    connect object
                      terminate boolean
                    type! string
                  loadBalancer object
                    ? self.type == 'ConsistentHash' ? has(self.consistentHash) : !has(self.consistentHash)
                      > If LoadBalancer type is consistentHash, consistentHash field needs to be set.
                    ? self.type == 'BackendUtilization' ? has(self.backendUtilization) : !has(self.backendUtilization)
                      > If LoadBalancer type is BackendUtilization, backendUtilization field needs to be set.
                    ? self.type == 'DynamicModule' ? has(self.dynamicModule) : !has(self.dynamicModule)
                      > If LoadBalancer type is DynamicModule, dynamicModule field needs to be set.
                    ? self.type in ['Random', 'ConsistentHash', 'DynamicModule'] ? !has(self.slowStart) : true
                      > Currently SlowStart is only supported for RoundRobin, LeastRequest, and BackendUtilization load balancers.
                    ? self.type == 'ConsistentHash' && has(self.zoneAware) ? !has(self.zoneAware.preferLocal) : true
                      > PreferLocal zone-aware routing is not supported for ConsistentHash load balancers. Use weightedZones instead.
                    ? self.type == 'BackendUtilization' && has(self.zoneAware) ? !has(self.zoneAware.preferLocal) : true
                      > PreferLocal zone-aware routing is not currently supported for BackendUtilization load balancers. Only WeightedZones can be used with BackendUtilization.
                    ? self.type == 'DynamicModule' ? !has(self.zoneAware) : true
                      > ZoneAware routing is not supported for DynamicModule load balancers.
                    ? has(self.zoneAware) ? !(has(self.zoneAware.preferLocal) && has(self.zoneAware.weightedZones)) : true
                      > ZoneAware PreferLocal and WeightedZones cannot be specified together.
                    ? self.type == 'DynamicModule' ? !has(self.endpointOverride) : true
                      > EndpointOverride is not supported for DynamicModule load balancers.
                    backendUtilization object
                      blackoutPeriod string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      errorUtilizationPenaltyPercent integer in=0..2147483647
                      keepResponseHeaders boolean
                        = false
                      metricNamesForComputingUtilization []string
                      outOfBand object
                        authority string len=1..259
                          ~ ^[^\x00\n\r]*$
                        port integer in=1..65535
                        reportingPeriod string
                          ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                          ? duration(self) > duration('0s')
                            > reportingPeriod must be greater than 0
                      weightExpirationPeriod string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      weightUpdatePeriod string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    consistentHash object
                      ? self.type == 'Header' ? has(self.header) : !has(self.header)
                        > If consistent hash type is header, the header field must be set.
                      ? self.type == 'Headers' ? has(self.headers) : !has(self.headers)
                        > If consistent hash type is headers, the headers field must be set.
                      ? self.type == 'Cookie' ? has(self.cookie) : !has(self.cookie)
                        > If consistent hash type is cookie, the cookie field must be set.
                      ? self.type == 'QueryParams' ? has(self.queryParams) : !has(self.queryParams)
                        > If consistent hash type is queryParams, the queryParams field must be set.
                      cookie object
                        attributes {}string
                        name! string
                        ttl string
                          ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      header object
                        name! string
                      headers []object
                        name! string
                      queryParams []object
                        name! string
                      tableSize integer in=2..5000011
                        = 65537
                      type! string enum=SourceIP|Header|Headers|Cookie|QueryParams
                    dynamicModule object
                      config any
                      lbPolicyName! string len=1..253
                      name! string len=1..253
                        ~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$
                    endpointOverride object
                      extractFrom! []object n=1..10
                        header string
                    slowStart object
                      window! string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    type! string enum=ConsistentHash|LeastRequest|Random|RoundRobin|BackendUtilization|DynamicModule
                    zoneAware object
                      preferLocal object
                        force object
                          minEndpointsInZoneThreshold integer in=-2147483648..2147483647
                        minEndpointsThreshold integer
                        percentageEnabled integer in=0..100
                      weightedZones []object keys=zone
                        weight! integer in=-2147483648..2147483647
                        zone! string
                  mergeType string
                    ? self != 'Replace'
                      > Replace is not a valid MergeType for BackendTrafficPolicySpec
                  proxyProtocol object
                    version! string enum=V1|V2
                  rateLimit any
                  requestBuffer object
                    limit quantity
                      ~ ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
                      ~ ^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$
                  responseOverride any
                  retry object
                    numAttemptsPerPriority integer in=-2147483648..2147483647
                    numRetries integer in=0..2147483647
                      = 2
                    perRetry object
                      backOff object
                        baseInterval string
                          ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                        maxInterval string
                          ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      timeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    retryOn object
                      httpStatusCodes []integer in=100..599
                      triggers []string enum=5xx|gateway-error|reset|reset-before-request|connect-failure|retriable-4xx|refused-stream|retriable-status-codes|cancelled|deadline-exceeded|internal|resource-exhausted|unavailable
                  routingType string
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
                  telemetry any
                  timeout object
                    http object
                      connectionIdleTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      maxConnectionDuration string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      maxStreamDuration string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      requestTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      streamIdleTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    tcp object
                      connectTimeout string
                        ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                  useClientProtocol boolean
                """##),
    ]
}
