import Primitives

extension ProxyLine {
    /// What the text form cannot say, which is anything but TCP over IP, becomes `UNKNOWN`.
    static func write(_ header: ProxyHeader, to writer: inout ByteWriter) {
        guard header.transport == .stream, header.command == .proxy,
            case .ip(let source, let sourcePort) = header.source,
            case .ip(let destination, let destinationPort) = header.destination
        else {
            writer.write("PROXY UNKNOWN\r\n")
            return
        }
        let isIPv4 = header.family == .ipv4
        writer.write(isIPv4 ? "PROXY TCP4 " : "PROXY TCP6 ")
        AddressText.write(source, isIPv4: isIPv4, to: &writer)
        writer.write(" ")
        AddressText.write(destination, isIPv4: isIPv4, to: &writer)
        writer.write(" ")
        writer.writeDecimal(sourcePort)
        writer.write(" ")
        writer.writeDecimal(destinationPort)
        writer.write("\r\n")
    }
}
