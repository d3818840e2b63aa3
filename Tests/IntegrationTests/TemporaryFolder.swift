import Glibc

/// A directory of one test, removed with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/apus-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: errno \(errno)") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        // Links are removed, not followed: nothing outside can go with it.
        nftw(path, { name, _, _, _ in remove(name) }, 16, Int32(FTW_DEPTH | FTW_PHYS))
    }

    func file(_ name: String, _ text: String) -> String {
        let place = "\(path)/\(name)"
        guard let file = fopen(place, "w") else { fatalError("fopen \(place): errno \(errno)") }
        fputs(text, file)
        fclose(file)
        return place
    }

    /// The text of a file, nil when there is none.
    static func text(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }
}
