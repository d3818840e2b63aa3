import Discovery
import Primitives

extension EndpointDirectory {
    /// One that no thread looks after.
    static func unattended(workers: Int) -> EndpointDirectory {
        do throws(Errno) {
            return try EndpointDirectory(workers: workers)
        } catch {
            fatalError("no eventfd: \(error)")
        }
    }
}
