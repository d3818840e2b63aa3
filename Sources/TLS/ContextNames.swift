/// The word of OpenSSL's for what sessions are made of (`SSL_CTX`). The style's list of empty words
/// has it too, so the types themselves are called for what they are.
public typealias `TLSServerContext` = TLSServer

/// As `TLSServerContext`, of a client.
public typealias `TLSClientContext` = TLSClient
