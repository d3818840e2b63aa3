/// What the exit status of `apus run` tells.
public enum ExitCode: Int32, Sendable {
    /// Every connection ran to its end.
    case drained = 0
    /// The start or the configuration failed.
    case failed = 1
    /// The command line is wrong.
    case usage = 2
    /// The drain time-out cut some connections off.
    case cutOff = 3
    /// Interrupted a second time: ended at once (128 + SIGINT, as shells count).
    case interrupted = 130
}
