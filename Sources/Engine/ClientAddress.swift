import Primitives

/// Whom a connection is from.
enum ClientAddress: BitwiseCopyable {
    /// Nil = it has none, as over a Unix socket.
    case known(IPAddress?)
    /// Who has reset already has no name any more, and what it sent before must not pass for that
    /// of a client without an address.
    case gone
}
