import Foundation

/// The inputs that the fuzz targets start from, which are real, or show something.
enum Corpus {
    /// - Parameter path: below `Tests/Fuzz`.
    static func bytes(_ path: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        return Array(try Data(contentsOf: tests.appendingPathComponent("Fuzz/\(path)")))
    }
}
