import Kernel
extension Worker where R: ~Copyable {
    mutating func openDatagramSocket(_ index: UInt32) {}
    mutating func closeDatagramSocket(_ index: UInt32) { roster.sockets[Int(index)].isClosed = true }
    mutating func listenerReceived(_ completion: Completion) {}
    mutating func flowReceived(_ completion: Completion) {}
    mutating func flowTimedOut(_ index: UInt32) {}
    mutating func endFlows(_ reason: TerminationReason) {}
    mutating func datagramFlush() {}
    mutating func datagramPostBuffers() {}
}
