// Our own kinds (apus.dev), which say what no kind of the Gateway API or of Envoy Gateway can.

extension SchemaText {
    static let own = [
        SchemaText(
            kind: "EndpointPolicy", group: "apus.dev", versions: ["v1alpha1"],
            text: ##"""
                def payload
                  ? self.type == 'Text' ? has(self.text) : !has(self.text)
                    > If payload type is Text, text field needs to be set.
                  ? self.type == 'Binary' ? has(self.binary) : !has(self.binary)
                    > If payload type is Binary, binary field needs to be set.
                  binary string len=..4096
                    ~ ^([a-zA-Z0-9+/]{4})*([a-zA-Z0-9+/]{2}==|[a-zA-Z0-9+/]{3}=)?$
                  text string len=..1024
                  type! string enum=Text|Binary
                spec! object
                  ? (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) == 1
                    > either targetRef or targetRefs must be used
                  targetRef object
                    group! string enum=gateway.envoyproxy.io
                    kind! string enum=Backend
                    name! string len=1..253
                  targetRefs []object n=1..16
                    group! string enum=gateway.envoyproxy.io
                    kind! string enum=Backend
                    name! string len=1..253
                  srv object
                    name! string len=3..253
                      ~ ^_[a-zA-Z0-9-]+\._(tcp|udp|tls|sctp)(\.[a-zA-Z0-9][-a-zA-Z0-9]*)+\.?$
                  dns object
                    servers []string n=1..8
                    refreshInterval string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    minTTL string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    maxTTL string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    staleMax string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    negativeTTL string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      ? duration(self) > duration('0s')
                        > must be more than 0s
                    jitterPercent integer in=0..100
                  tiers object
                    ? !(has(self.failoverBelowPercent) && has(self.failoverBelowPercents))
                      > failoverBelowPercent is of all tiers, failoverBelowPercents of each
                    failoverBelowPercent integer in=0..100
                    failoverBelowPercents []integer n=1..16 in=0..100
                    failbackAfter string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    failback string enum=NewOnly|Drain
                    failbackPerSecond integer in=1..1000000
                  limits object
                    connectionsPerSourceMax integer in=1..1000000
                    newConnectionsPerSecondPerSource integer in=1..1000000
                    sourcePrefixIPv4 integer in=1..32
                    sourcePrefixIPv6 integer in=1..128
                  connections object
                    ? has(self.endPerSecond) ? self.onEndpointDown == 'End' : true
                      > endPerSecond needs onEndpointDown: End
                    onEndpointDown! string enum=Keep|End
                    endPerSecond integer in=1..1000000
                  udp object
                    idleTimeout string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      ? duration(self) > duration('0s')
                        > must be more than 0s
                    expectedResponses integer in=1..65535
                    flowsMax integer in=1..16777216
                    flowsPerSourceMax integer in=1..16777216
                  healthCheck object
                    healthyThreshold integer in=1..2147483647
                      = 1
                    initialJitter string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                    interval string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      ? duration(self) > duration('0s')
                        > must be more than 0s
                      = "3s"
                    timeout string
                      ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                      ? duration(self) > duration('0s')
                        > must be more than 0s
                      = "1s"
                    udp! object
                      expect object @payload
                      send object @payload
                    unhealthyThreshold integer in=1..2147483647
                      = 3
                """##),
        SchemaText(
            kind: "ApusConfig", group: "apus.dev", versions: ["v1alpha1"],
            text: ##"""
                spec! object
                  workers integer in=1..1024
                  connectionsMax integer in=1..2147483647
                  drainTimeout string
                    ~ ^([0-9]{1,5}(h|m|s|ms)){1,4}$
                  zone string len=1..253
                  admin string len=3..112
                  logLevel string enum=trace|debug|info|notice|warning|error|critical
                """##),
    ]
}
