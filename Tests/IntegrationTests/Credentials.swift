import Testing

/// An authority of the test's, and certificates that it signs, made by `openssl req` and `x509`.
struct Credentials {
    let folder: TemporaryFolder

    /// PEM of the authority.
    var authority: String { "\(folder.path)/ca.crt" }

    init() throws {
        folder = TemporaryFolder()
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "\(folder.path)/ca.key", "-out", authority, "-days", "90",
            "-subj", "/CN=Apus test authority")
    }

    /// A key and a certificate for a server's name; the paths of both.
    /// - Parameters:
    ///   - names: subjectAltName as OpenSSL's configuration has it; nil = the server's.
    ///   - isExpired: since yesterday.
    func server(
        _ name: String, names: String? = nil, isExpired: Bool = false
    ) throws -> (certificate: String, key: String) {
        let base = "\(folder.path)/\(name)\(isExpired ? "-expired" : "")"
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "\(base).key", "-out", "\(base).csr", "-subj", "/CN=\(name)")
        let names = folder.file(
            "\(name).ext", "subjectAltName=\(names ?? "DNS:\(name)")\n")
        try openssl(
            "x509", "-req", "-in", "\(base).csr", "-CA", authority,
            "-CAkey", "\(folder.path)/ca.key", "-CAcreateserial",
            "-days", isExpired ? "-1" : "90", "-extfile", names,
            "-out", "\(base).crt")
        return ("\(base).crt", "\(base).key")
    }

    /// A Secret with the key and certificate for a server's name, as a document.
    func secret(_ name: String, of server: String) throws -> String {
        let (certificate, key) = try self.server(server)
        return """
            apiVersion: v1
            kind: Secret
            metadata: {name: \(name)}
            type: kubernetes.io/tls
            stringData:
              tls.crt: |
            \(Self.indented(certificate))
              tls.key: |
            \(Self.indented(key))
            """
    }

    /// An OCSP response of the authority's about a server's certificate, made by `openssl ocsp`
    /// from a list of what was issued; the path of the DER.
    func staple(_ name: String) throws -> String {
        let base = "\(folder.path)/\(name)"
        try openssl(
            "x509", "-in", "\(base).crt", "-noout", "-serial", "-out", "\(base).serial")
        let serial = (TemporaryFolder.text(of: "\(base).serial") ?? "").split(separator: "=")
        let number = serial.last.map { $0.filter(\.isHexDigit) } ?? ""
        let index = folder.file(
            "\(name).index", "V\t21260101000000Z\t\t\(number)\tx\t/CN=\(name)\n")
        try openssl(
            "ocsp", "-index", index, "-CA", authority, "-rsigner", authority,
            "-rkey", "\(folder.path)/ca.key", "-issuer", authority, "-cert", "\(base).crt",
            "-respout", "\(base).ocsp", "-ndays", "7", "-noverify")
        return "\(base).ocsp"
    }

    /// A file in base64, as one line.
    func base64(_ path: String) throws -> String {
        try openssl("base64", "-A", "-in", path, "-out", "\(path).base64")
        return TemporaryFolder.text(of: "\(path).base64") ?? ""
    }

    /// A file's lines as they stand under `key: |` of a field that is a mapping.
    static func indented(_ path: String) -> String {
        (TemporaryFolder.text(of: path) ?? "").split(separator: "\n")
            .map { "    \($0)" }.joined(separator: "\n")
    }

    /// The same in one file, as HAProxy wants them.
    func bundle(_ name: String) throws -> String {
        let (certificate, key) = try server(name)
        let parts = [certificate, key].map { TemporaryFolder.text(of: $0) ?? "" }
        return folder.file("\(name).pem", parts.joined())
    }

    /// A key and a certificate that it has signed itself.
    func alone(_ name: String) throws -> (certificate: String, key: String) {
        let base = "\(folder.path)/\(name)-alone"
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "\(base).key", "-out", "\(base).crt", "-days", "30",
            "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)")
        return ("\(base).crt", "\(base).key")
    }

    private func openssl(_ arguments: String...) throws {
        let child = try ChildProcess(["openssl"] + arguments)
        let code = try child.wait()
        try child.awaitEnd()
        guard code == 0 else {
            throw ChildProcess.Failure(description: "\(child.command): \(child.log)")
        }
    }
}
