// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let backend = [
        SchemaText(
            kind: "Backend", group: "gateway.envoyproxy.io",
            versions: ["v1alpha1"],
            text: ##"""
                spec! object
                  ? self.type != 'DynamicResolver' || !has(self.endpoints)
                    > DynamicResolver type cannot have endpoints specified
                  ? self.type != 'DynamicResolver' || !has(self.tls) || !(has(self.tls.autoSNIFromEndpointHostname) && self.tls.autoSNIFromEndpointHostname)
                    > DynamicResolver type cannot use autoSNIFromEndpointHostname
                  ? !has(self.tls) || !(has(self.tls.autoSNIFromEndpointHostname) && self.tls.autoSNIFromEndpointHostname) || self.endpoints.all(e, (!has(e.ip) && !has(e.unix)) || has(e.hostname))
                    > when autoSNIFromEndpointHostname is enabled, IP and Unix endpoints must define a hostname
                  appProtocols []string enum=gateway.envoyproxy.io/h2c|gateway.envoyproxy.io/ws|gateway.envoyproxy.io/wss
                  endpoints []object n=1..256
                    ? (has(self.fqdn) || has(self.ip) || has(self.unix))
                      > one of fqdn, ip or unix must be specified
                    ? ((has(self.fqdn) && !(has(self.ip) || has(self.unix))) || (has(self.ip) && !(has(self.fqdn) || has(self.unix))) || (has(self.unix) && !(has(self.ip) || has(self.fqdn))))
                      > only one of fqdn, ip or unix can be specified
                    fqdn object
                      hostname! string len=1..253
                        ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\.?$
                      port! integer in=0..65535
                    hostname string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ip object
                      address! string len=3..45
                        ~ ^((25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$|^(([0-9a-fA-F]{1,4}:){1,7}[0-9a-fA-F]{1,4}|::|(([0-9a-fA-F]{1,4}:){0,5})?(:[0-9a-fA-F]{1,4}){1,2})$
                      port! integer in=0..65535
                    unix object
                      path! string
                        ? size(self) <= 108
                          > unix domain socket path must not exceed 108 characters
                    zone string
                    ?? self.all(f, has(f.fqdn)) || !self.exists(f, has(f.fqdn))
                      > fqdn addresses cannot be mixed with other address types
                  fallback boolean
                  tls object
                    ? !(has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0 && has(self.wellKnownCACertificates) && self.wellKnownCACertificates != "")
                      > must not contain both CACertificateRefs and WellKnownCACertificates
                    ? !((has(self.insecureSkipVerify) && self.insecureSkipVerify) && ((has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0) || (has(self.wellKnownCACertificates) && self.wellKnownCACertificates != "")))
                      > must not contain either CACertificateRefs or WellKnownCACertificates when InsecureSkipVerify is enabled
                    ? !(has(self.sni) && has(self.autoSNIFromEndpointHostname) && self.autoSNIFromEndpointHostname)
                      > sni and autoSNIFromEndpointHostname are mutually exclusive
                    ? has(self.minVersion) && self.minVersion == '1.3' ? !has(self.ciphers) : true
                      > setting ciphers has no effect if the minimum possible TLS version is 1.3
                    ? has(self.minVersion) && has(self.maxVersion) ? {"Auto":0,"1.0":1,"1.1":2,"1.2":3,"1.3":4}[self.minVersion] <= {"1.0":1,"1.1":2,"1.2":3,"1.3":4,"Auto":5}[self.maxVersion] : !has(self.minVersion) && has(self.maxVersion) ? 3 <= {"1.0":1,"1.1":2,"1.2":3,"1.3":4,"Auto":5}[self.maxVersion] : true
                      > minVersion must be smaller or equal to maxVersion
                    alpnProtocols []string
                    autoSNIFromEndpointHostname boolean
                    caCertificateRefs []object n=..8
                      group! string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      kind! string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      name! string len=1..253
                    ciphers []string
                    clientCertificateRef object
                      group string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                        = ""
                      kind string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                        = "Secret"
                      name! string len=1..253
                      namespace string len=1..63
                        ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                    ecdhCurves []string
                    fingerprints []string enum=JA3|JA4
                    insecureSkipVerify boolean
                      = false
                    maxVersion string enum=Auto|1.0|1.1|1.2|1.3
                    minVersion string enum=Auto|1.0|1.1|1.2|1.3
                    signatureAlgorithms []string
                    sni string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    wellKnownCACertificates string len=1..253
                      ~ ^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$
                  type string enum=Endpoints|DynamicResolver
                    = "Endpoints"
                """##),
    ]
}
