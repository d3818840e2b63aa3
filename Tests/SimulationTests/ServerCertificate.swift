import Routing
import TLS

/// A listener's certificate for `a.example.com`, made by openssl(1), and what speaks TLS with it.
/// RSA, whose signatures have one length, so that a seed gives the same packets again.
enum ServerCertificate {
    static let plan: TLSTerminationPlan = {
        var plan = TLSTerminationPlan()
        plan.certificates = [CertificatePlan(name: "default/a", chain: chain, key: key)]
        return plan
    }()

    static func makeServer() throws -> TLSServer {
        try TLSServer(plan, tickets: TicketKeys(nowSeconds: 0))
    }

    static func makeClient() throws -> TLSClient {
        try TLSClient(UpstreamTLSPlan(trust: .nobody))
    }

    /// How it is believed by whoever expects it.
    static let trusting = UpstreamTLSPlan(trust: .authorities([chain]), serverName: "a.example.com")

    private static let chain = """
        -----BEGIN CERTIFICATE-----
        MIIDLTCCAhWgAwIBAgIULUgMIhumRyHW+ipDxtkYjYTM99UwDQYJKoZIhvcNAQEL
        BQAwGDEWMBQGA1UEAwwNYS5leGFtcGxlLmNvbTAgFw0yNjExMjMxNzM5MDlaGA8y
        MTI2MTAzMDE3MzkwOVowGDEWMBQGA1UEAwwNYS5leGFtcGxlLmNvbTCCASIwDQYJ
        KoZIhvcNAQEBBQADggEPADCCAQoCggEBAK82hGwQP5p6s5Yneze/PX/rt5/cEOFX
        bKiFAzcror+kw7akjC6KEvo3rrdFRE3wfkF5mz/VqTtvbt6pv9lbCcA1AOPLA4k2
        Db6P9cbYz4WSqtOFGi2iGhBCoqAddvZsetSs/USv9PQP2d6ptXoyfK/5G6OIhwXt
        ZZZfjZ5UfTLb1qb9u0Poy2jwajs/NVpa7eLfE4VHl8fz7A+C7Qe/CtwvvwajDIl1
        HBDEzJY1Ah7KP2WMiMuPY7sGnsZDBJ0iHUkNJRJllNTj13dS2U8UpBkOR5o+wLcA
        5E84T5x3B3SqaUldsBs3OhClbw0106sqCb0n2rlvE95zY4XoDagOpssCAwEAAaNt
        MGswHQYDVR0OBBYEFGRZKoZ+BfkKKDHmZa1Hxv/jzPYbMB8GA1UdIwQYMBaAFGRZ
        KoZ+BfkKKDHmZa1Hxv/jzPYbMA8GA1UdEwEB/wQFMAMBAf8wGAYDVR0RBBEwD4IN
        YS5leGFtcGxlLmNvbTANBgkqhkiG9w0BAQsFAAOCAQEAGNoQFW5uzEqkg0rbW798
        430AuIHsVoJfp9cnqeGToVLFwLA9jcO7nBqXRt17oFeNFuOIilV6GKVAeNAfgpsM
        /lzgcAo/3b05Fr8esgW/f6lwcGUuW402e5EkooWCaASOlofhAu2bw8iKVKCE4Si/
        hPd+1/QaADVbRn7SgyIaq2caE4CaZowthW7Yqx3vi3K/amQAGiFyN8EuXJA67hIW
        3b1BsnncR69NoYt4ISQvByTsfzCi9Ij3f9moG9ZiaXkG8KT2C7vAZpIuLZ0FyJd6
        0X7CTOs1T6VLekzJ6KHZ/XTGI35+JWj10Gr/KoFxFcg/nIP1lgpZcGDD/E7KbZt1
        GQ==
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCvNoRsED+aerOW
        J3s3vz1/67ef3BDhV2yohQM3K6K/pMO2pIwuihL6N663RURN8H5BeZs/1ak7b27e
        qb/ZWwnANQDjywOJNg2+j/XG2M+FkqrThRotohoQQqKgHXb2bHrUrP1Er/T0D9ne
        qbV6Mnyv+RujiIcF7WWWX42eVH0y29am/btD6Mto8Go7PzVaWu3i3xOFR5fH8+wP
        gu0HvwrcL78GowyJdRwQxMyWNQIeyj9ljIjLj2O7Bp7GQwSdIh1JDSUSZZTU49d3
        UtlPFKQZDkeaPsC3AORPOE+cdwd0qmlJXbAbNzoQpW8NNdOrKgm9J9q5bxPec2OF
        6A2oDqbLAgMBAAECggEAS7IwZKVibSFsm8bj13JCJhVWp/RBwLDt6yJIANpTvhr3
        SN1vCJ4zU7GhxGDjAQ8Q5MWeWmY67kgWrJDGpydLH6RmhYNMPEfDiVwVkTpS8YCr
        V6Wt6SAaxYKcUrNYFV9Jc79mzfl8yMJeXHGSS0ArmTT0iWKu/tMQq/YNL2WOD12t
        qUFBltvqWmPamRdoN/gO1k+PqsQMn1kqmX/ejjlhEtSSwChng/cR3voIL7aSiKGc
        w0JQhzLlxe2KpKXehrOYBeeTEXX+IVbg/Y701ViISPqV7g/ZlHP8LKftgA0tWntY
        1tZVaZ/Zni8sWQlrAynBQ0NValdttLTjttWuogqAQQKBgQDrbVk17oasoD3xDh9o
        yA+LPTIrERhfBphm87qH3RTDb+lM0fBNehWJttFQ4Dwk/b+Ej3lvLXmxJewP3RlY
        nA+zg2XovgrXSEEcydGfeRZUTw8OJX4lthr6a+kL/8YWGiIGfaPLHvEkmgc5R5vr
        qTACZb6MUTgN1GL9Sfqlvv1vwQKBgQC+hiPa/QGCMskBU1WFiX1tjpx0/Uavi4oF
        gKo8gXFWMMesO59p7OD2m+bOL7FQsC7ccfJs8etbHYeq2irJdg5OZgmHA1PQT+9E
        oYHNESUZW76dI3z9rlj1RSJxgMYIgf9ktNlqdCimstnFfbjvyrUT8ygur/9vbWBa
        6p3yytE5iwKBgEF+kirmyKCNk63T9/j2bxyVUbeZceY9t3gspd/WKUiVgZnVbbyg
        Eg3VxjVxrEm+LeF66JV9WTVnD1z6bWqxP8z46QjulaV+fF695osu7H9X3yBYXdev
        6aFxE8w6w6iybHTRzxda7Er6brgIq9/LmYeRNoliru1qAH/mbMxfbbIBAoGADg5R
        aN+Pk+5xO+LNBWwOT93clxj0dREDXsKOTKZ0GRrCMGe5rBPoyOjZj06fc0d8PZE+
        hGEYrwEvuCAeVfyas5f9jfNl5JFxIowTynBAX22QU4GBwClzsKyoDN2mPoxwrhpV
        i/AD68B4JoTO9wnqcA1ZYpBjdPIJ0MtMWdQyuV8CgYAhBXetW14PR9Fn+W0tI6dT
        ygEMT5a7gnoyR/XuJd73BWE/m9aTjvqf5+DVXzGFhf1jy4s3nlTPYK4dbqjBhMbF
        2W3VHk405Mc31fKyo5rlnTIfQP3cd8StauBSU69bOBCFTACpEE7+35NzAh4JqJqM
        IyxOoah74lFr0etaaf+N3w==
        -----END PRIVATE KEY-----
        """
}
