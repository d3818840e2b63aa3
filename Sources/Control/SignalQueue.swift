import CLinux
import Kernel
import Primitives

/// The signals that the process reacts to, read as a queue (`signalfd(2)`). Made before any thread
/// is started, so that every thread has them blocked; read by the control thread.
struct SignalQueue: ~Copyable {
    enum Signal: Hashable {
        case terminate, interrupt, hangup
    }

    let descriptor: Descriptor

    /// - Throws: EMFILE or ENFILE.
    init() throws(Errno) {
        let result = apus_take_signals()
        if let error = Errno(result: Int(result)) { throw error }
        descriptor = result
    }

    deinit {
        _ = apus_close(descriptor)
    }

    /// The next signal; nil when none waits.
    func next() -> Signal? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard apus_read(descriptor, &information, size) == size else { return nil }
        switch Int32(information.ssi_signo) {
        case SIGTERM: return .terminate
        case SIGINT: return .interrupt
        case SIGHUP: return .hangup
        default: fatalError("only three signals are in the set")
        }
    }
}
