// What this program takes besides the real CRDs: the older dialect of Backend, and what a forwarder
// outside of a cluster has; and what of the CRDs it understands without acting on it.

extension SchemaText {
    static let overlays: [String: String] = [
        "Gateway": ##"""
        spec
          gatewayClassName optional
        """##,
        "Backend": ##"""
        spec
          appProtocol +string enum=http|https|h2c|h2|grpc|grpcs|tcp|udp
          endpoints
            - fqdn addresses cannot be mixed with other address types
            - one of fqdn, ip or unix must be specified
            - only one of fqdn, ip or unix can be specified
            ? has(self.fqdn) || has(self.ip) || has(self.srv) || has(self.unix)
              > one of fqdn, ip, srv or unix must be specified
            ? size([has(self.fqdn), has(self.ip), has(self.srv), has(self.unix)].filter(h, h)) <= 1
              > only one of fqdn, ip, srv or unix can be specified
            fqdn
              hostname free
            fqdn +string len=1..253
            ip
              address free
            ip +string
            srv +string len=3..253
              ~ ^_[a-zA-Z0-9-]+\._(tcp|udp|tls|sctp)(\.[a-zA-Z0-9][-a-zA-Z0-9]*)+\.?$
            unix +string len=1..108
            port +integer in=1..65535
            protocol +string enum=HTTPS
          fallback +object
            backendRef! object
              group string len=..253
              kind string len=1..63
              name! string len=1..253
              namespace string len=1..63
              port integer in=1..65535
        """##,
        "BackendTrafficPolicy": ##"""
        spec
          admissionControl later
          bandwidthLimit later
          compression later
          compressor later
          faultInjection later
          httpUpgrade later
          rateLimit later
          requestBuffer later
          responseOverride later
          routingType later
          telemetry later
          useClientProtocol later
          healthCheck
            active
              type infer http=HTTP tcp=TCP grpc=GRPC
          loadBalancer
            backendUtilization later
            dynamicModule later
            endpointOverride later
        """##,
        "ClientTrafficPolicy": ##"""
        spec
          enableProxyProtocol later is deprecated; write proxyProtocol: {} instead
          grpc later
          http1 later
          http3 later
          scheme later
        """##,
    ]
}
