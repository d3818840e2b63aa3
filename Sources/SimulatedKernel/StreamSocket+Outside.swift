import CLinux
import Primitives

/// A connection as the other side of it sees it: how a test plays clients and backends.
extension StreamSocket {
    /// What a look at the stream gave.
    public enum Reading: Equatable {
        case bytes([UInt8])
        case nothingYet
        case end
        case reset
    }

    /// Makes this side the test's: `action` runs a little after something could be read or written,
    /// or the connection was made or ended.
    public func observe(_ action: @escaping () -> Void) {
        onChange = action
        changed()
    }

    public var isConnected: Bool { state == .connected }
    /// A connection attempt that came to nothing.
    public var isRefused: Bool { state == .connecting && pendingError != 0 }

    public func read(_ countMax: Int) -> Reading {
        var count = 0
        let room = max(1, min(countMax, bytesReadable))
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, initializedCount in
            count = receive(into: UnsafeMutableRawPointer(buffer.baseAddress!), capacity: room)
            initializedCount = max(count, 0)
        }
        switch count {
        case 1...: return .bytes(bytes)
        case 0: return isReset ? .reset : .end
        case Int(-EAGAIN): return .nothingYet
        default: return .reset
        }
    }

    /// How many bytes were taken; 0 when there is no room now or the connection is gone.
    public func write(_ data: UnsafeRawBufferPointer) -> Int {
        max(0, send(data))
    }

    public func write(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { write($0) }
    }

    public func shutdownWrite() {
        _ = shutWrite()
    }

    /// `close(2)`: an orderly end, or a reset when something is left unread.
    public func close() {
        release()
    }
}
