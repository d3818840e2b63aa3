// swift-format-ignore-file
// Written by tools/schemas; not by hand.

extension SchemaText {
    static let backendTLSPolicy = [
        SchemaText(
            kind: "BackendTLSPolicy", group: "gateway.networking.k8s.io",
            versions: ["v1", "v1alpha3"],
            text: ##"""
                spec! object
                  options {}string len=0..4096 n=..16
                  targetRefs! []object n=1..16
                    group! string len=..253
                      ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    kind! string len=1..63
                      ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                    name! string len=1..253
                    sectionName string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    ?? self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))
                      > sectionName must be specified when targetRefs includes 2 or more references to the same target
                    ?? self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || (has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName))))
                      > sectionName must be unique when targetRefs includes 2 or more references to the same target
                  validation! object
                    ? !(has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0 && has(self.wellKnownCACertificates) && self.wellKnownCACertificates != "")
                      > must not contain both CACertificateRefs and WellKnownCACertificates
                    ? (has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0 || has(self.wellKnownCACertificates) && self.wellKnownCACertificates != "")
                      > must specify either CACertificateRefs or WellKnownCACertificates
                    caCertificateRefs []object n=..8
                      group! string len=..253
                        ~ ^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      kind! string len=1..63
                        ~ ^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$
                      name! string len=1..253
                    hostname! string len=1..253
                      ~ ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                    subjectAltNames []object n=..5
                      ? !(self.type == "Hostname" && (!has(self.hostname) || self.hostname == ""))
                        > SubjectAltName element must contain Hostname, if Type is set to Hostname
                      ? !(self.type != "Hostname" && has(self.hostname) && self.hostname != "")
                        > SubjectAltName element must not contain Hostname, if Type is not set to Hostname
                      ? !(self.type == "URI" && (!has(self.uri) || self.uri == ""))
                        > SubjectAltName element must contain URI, if Type is set to URI
                      ? !(self.type != "URI" && has(self.uri) && self.uri != "")
                        > SubjectAltName element must not contain URI, if Type is not set to URI
                      hostname string len=1..253
                        ~ ^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
                      type! string enum=Hostname|URI
                      uri string len=1..253
                        ~ ^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?
                    wellKnownCACertificates string len=1..253
                      ~ ^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$
                """##),
    ]
}
