// The kinds of Kubernetes itself that are read, as its API server knows them (API reference 1.34).

extension SchemaText {
    static let core = [
        SchemaText(
            kind: "Namespace", group: "", versions: ["v1"],
            text: ##"""
                spec any
                """##),
        SchemaText(
            kind: "ConfigMap", group: "", versions: ["v1"],
            text: ##"""
                data {}string
                binaryData {}string format=byte
                immutable boolean
                """##),
        SchemaText(
            kind: "Secret", group: "", versions: ["v1"],
            text: ##"""
                data {}string format=byte
                stringData {}string
                immutable boolean
                type string
                """##),
        SchemaText(
            kind: "Service", group: "", versions: ["v1"],
            text: ##"""
                spec! object
                  allocateLoadBalancerNodePorts boolean
                  clusterIP string
                  clusterIPs []string n=..2
                  externalIPs []string
                  externalName string len=..253
                  externalTrafficPolicy string enum=Cluster|Local
                  healthCheckNodePort integer in=0..65535
                  internalTrafficPolicy string enum=Cluster|Local
                  ipFamilies []string enum=IPv4|IPv6 n=..2
                  ipFamilyPolicy string enum=SingleStack|PreferDualStack|RequireDualStack
                  loadBalancerClass string
                  loadBalancerIP string
                  loadBalancerSourceRanges []string
                  ports []object
                    appProtocol string
                    name string len=..63
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    nodePort integer in=0..65535
                    port! integer in=1..65535
                    protocol string enum=TCP|UDP|SCTP
                    targetPort quantity
                  publishNotReadyAddresses boolean
                  selector {}string
                  sessionAffinity string enum=None|ClientIP
                  sessionAffinityConfig any
                  trafficDistribution string
                  type string enum=ClusterIP|NodePort|LoadBalancer|ExternalName
                """##),
        SchemaText(
            kind: "EndpointSlice", group: "discovery.k8s.io", versions: ["v1"],
            text: ##"""
                addressType! string enum=IPv4|IPv6|FQDN
                endpoints! []object n=..1000
                  addresses! []string n=1..100
                  conditions object
                    ready boolean
                    serving boolean
                    terminating boolean
                  deprecatedTopology {}string
                  hints any
                  hostname string len=..63
                  nodeName string
                  targetRef any
                  zone string
                ports []object n=..20000
                  appProtocol string
                  name string len=..63
                  port integer in=1..65535
                  protocol string enum=TCP|UDP|SCTP
                """##),
    ]
}
