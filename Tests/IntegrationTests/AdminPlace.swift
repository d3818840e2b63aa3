import Primitives
import Testing

/// A running Apus's admin server, asked by curl, Python and `apus endpoints`.
struct AdminPlace {
    /// `ADDRESS:PORT` or `unix:PATH`.
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// Where the process says that it is.
    init(of child: ChildProcess) throws {
        let line = try child.awaitLine(containing: "admin server on ")
        text = line.split(separator: " ").last.map(String.init) ?? ""
    }

    /// - Returns: the status, and the page.
    func get(_ target: String, _ arguments: [String] = []) throws -> (code: Int, body: String) {
        let path = text.hasPrefix("unix:") ? text.dropFirst("unix:".count) : ""
        let curl = try ChildProcess(
            ["curl", "-sS", "--max-time", "60", "-w", "\n%{http_code}\n"]
                + (path.isEmpty ? [] : ["--unix-socket", String(path)]) + arguments
                + ["http://\(path.isEmpty ? text : "localhost")\(target)"])
        guard try curl.wait() == 0 else {
            try curl.awaitEnd()
            throw ChildProcess.Failure(description: "\(curl.command): \(curl.log)")
        }
        try curl.awaitEnd()
        return (
            Int(curl.lines.last ?? "") ?? 0, curl.lines.dropLast().joined(separator: "\n")
        )
    }

    /// What `apus endpoints` prints, with one space between columns.
    func endpoints(_ arguments: String...) throws -> [String] {
        let (code, log) = try ApusProcess.failingToStart(
            ["endpoints", "--admin", text] + arguments)
        guard code == 0 else { throw ChildProcess.Failure(description: log) }
        return log.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
    }

    /// Every page that programs read, read by one: JSON by Python's own parser, metrics by that of
    /// Prometheus and by the rules of `promtool check metrics` (promlint of Prometheus 2.42).
    func checkByPrograms() throws {
        let python = try ChildProcess(["/usr/bin/python3", "-c", Self.program, text])
        let code = try python.wait()
        try python.awaitEnd()
        #expect(code == 0 && python.lines.last == "fine", "\(python.log)")
    }

    private static let program = #"""
        import json, re, sys, urllib.request
        from prometheus_client.parser import text_string_to_metric_families

        def get(target):
            answer = urllib.request.urlopen(f"http://{sys.argv[1]}{target}", timeout=60)
            return answer.headers["content-type"], answer.read().decode()

        for page in "clusters", "endpoints", "dns", "listeners", "stats", "server_info":
            kind, text = get(f"/{page}?format=json")
            assert kind == "application/json" and json.loads(text), page

        kind, text = get("/stats/prometheus")
        assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
        assert text.endswith("\n")
        families = list(text_string_to_metric_families(text))
        names = [f.name + ("_total" if f.type == "counter" else "") for f in families]
        assert len(families) > 30 and len(set(names)) == len(names), names
        for family, name in zip(families, names):
            assert family.documentation, f"no help: {name}"
            assert re.fullmatch("[a-z][a-z0-9_]*", name), name
            assert family.type in ("counter", "gauge", "unknown"), name
            assert (family.type == "gauge") <= (not name.endswith("_total")), name
            assert not re.search("_(count|sum|bucket|info|counter|gauge)$", name), name
            assert not re.search("_(ms|milliseconds|us|kb|mb|minutes)(_|$)", name), name
            series = [tuple(sorted(s.labels.items())) for s in family.samples]
            assert len(set(series)) == len(series) > 0, name
            assert all(s.name == name for s in family.samples), name
        # Each family has its own head, and stands in one piece.
        assert len(re.findall("^# TYPE ", text, re.M)) == len(families)
        print("fine")
        """#
}
