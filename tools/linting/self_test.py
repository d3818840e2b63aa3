"""Shows that each rule fires where it should and only there. Run by `tools/lint --self-test`."""

import layers
import rules
from swift_source import SwiftSource

ENGINE = "Sources/Engine/Sample.swift"
TESTS = "Tests/EngineTests/Sample.swift"


def function_of(lines, before="", statement="run()"):
    body = "\n".join([f"    {statement}"] * lines)
    return f"func long() {{\n{before}{body}\n}}\n"


def switch_of(lines, after=""):
    cases = "\n".join(["    case 1: run()"] * lines)
    return f"func long() {{\n    switch value {{\n{cases}\n    }}\n{after}}}\n"


# (rule, path, text in which it fires, text in which it does not)
SAMPLES = [
    ("file-length", ENGINE, "let a = 1\n" * 501, "let a = 1\n" * 500),
    ("line-length", ENGINE, "// " + "x" * 98, "// " + "x" * 97),
    ("function-length", ENGINE, function_of(69), function_of(68)),
    ("function-length", ENGINE, switch_of(80, after="    run()\n"), switch_of(80)),
    (
        "function-length", ENGINE,
        function_of(80, "    switch a { default: run() }\n"), switch_of(99),
    ),
    (
        "function-length", ENGINE,
        "init(a: Int) {\n" + "    run()\n" * 80 + "}\n",
        "func table() -> [Int] {\n    [\n" + "        1,\n" * 80 + "    ]\n}\n",
    ),
    (
        "function-length", ENGINE,
        "func a<T>(\n    b: T\n) throws(F)\n    -> Int where T: P\n{\n"
        + "    run()\n" * 80 + "}\n",
        "protocol P {\n" + "    func a(b: Int) -> Int\n    init(c: Int)\n" * 80 + "}\n",
    ),
    ("type-documentation", ENGINE, "struct A {}", "/// What it is.\n@frozen\npublic struct A {}"),
    (
        "type-documentation", ENGINE,
        "// Not this.\nfinal class A {}", "extension A {\n    enum B {}\n}",
    ),
    ("type-documentation", ENGINE, 'let a = "{"\nenum A {}', "typealias A = Int"),
    ("banned-name", ENGINE, "final class PoolManager {}", "struct Managerial {}"),
    ("banned-name", TESTS, "enum TestHelpers2Helper {}", "struct Contextual {}"),
    ("banned-name", ENGINE, "struct RelayContext {}", "struct Utilization {}"),
    ("banned-name", ENGINE, "enum StringUtils {}", "let contextManager = 1"),
    ("force-try", ENGINE, "let a = try! b()", "let a = try? b()  // never try!"),
    ("force-try", ENGINE, 'let a = "\\(b("x"))" + c(try! d())', 'let a = "try! \\(b("try!"))"'),
    (
        "empty-catch", ENGINE,
        "do { try a() } catch {\n    // nothing\n}", "do {} catch { count += 1 }",
    ),
    ("empty-catch", ENGINE, "do { try a() } catch let error as E {}", "error.catch {}"),
    ("unfinished", ENGINE, "// TODO: later", "// TODOS are not one"),
    ("unfinished", TESTS, "// FIXME", 'let template = "/tmp/apus-XXXXXX"'),
    ("unfinished", TESTS, "/* XXX */", "// fixme"),
    ("skipped-test", TESTS, '@Test("a", .disabled("b")) func c() {}', "// .disabled(because)"),
    ("test-name", TESTS, "@Test func works() {}", '@Test("it works") func works() {}'),
    (
        "test-name", TESTS, "@Test(arguments: [1]) func works(a: Int) {}",
        '@Test(\n    "it works", arguments: [1])\nfunc works(a: Int) {}\n'
        "@Test func `it works`() {}",
    ),
    ("hot-path", ENGINE, "func a() async {}", "// async and await\nlet asynchronous = 1"),
    ("hot-path", "Sources/Kernel/Sample.swift", "let a = await b()", 'let a = "await"'),
    ("hot-path", ENGINE, "let a = DispatchQueue(label: b)", "let queue = FixedQueue()"),
    ("hot-path", ENGINE, "let a = NSLock()", "let nsLock = 1"),
    ("hot-path", ENGINE, "import Foundation", "import Kernel"),
    ("hot-path", ENGINE, "let a: any Ring", "let any = many Rings"),
    ("hot-path", ENGINE, "var a: [UInt32: Flow] = [:]", "let a = [index: 1]"),
    ("hot-path", ENGINE, "var a = Dictionary<Int, Int>()", "let dictionary = 1"),
]

PACKAGE = """
let package = Package(
    targets: [
        .systemLibrary(name: "CLiburing", pkgConfig: "liburing"),
        .target(name: "Primitives"),
        .target(name: "Wire", dependencies: ["Primitives"]),
        .target(name: "Routing", dependencies: ["Primitives"]),
        .target(
            name: "Engine",
            dependencies: ["Primitives", .product(name: "Control", package: "other"), "Wire"]),
        .testTarget(name: "WireTests", dependencies: ["Wire"]),
    ])
"""

# (what is added to the package, what is in its complaint; None: no complaint)
PACKAGES = [
    ("", None),
    ('.target(name: "Kernel", dependencies: ["Primitives"]),', None),
    ('.target(name: "Kernel", dependencies: ["Engine"]),', "Kernel depends on Engine"),
    ('.target(name: "TLS", dependencies: ["HTTP"]),', "TLS depends on HTTP"),
    ('.target(name: "Novelty"),', "Novelty has no layer"),
    ('.executableTarget(name: "Other"),', "Other has no layer"),
    ('// .target(name: "Novelty"),', None),
]

# (file, its text, what is in its complaint; None: no complaint)
IMPORTS = [
    ("Sources/Wire/A.swift", "import Primitives", None),
    ("Sources/Wire/A.swift", "import Engine", "Wire imports Engine, which is not below"),
    ("Sources/Wire/A.swift", "@testable import Engine", "not below"),
    ("Sources/Wire/A.swift", "@_exported public import struct Engine.Worker", "not below"),
    ("Sources/Wire/A.swift", "#if DEBUG\n    import Engine\n#endif", "not below"),
    ("Sources/Wire/A.swift", "// import Engine", None),
    ("Sources/Wire/A.swift", "import Glibc", "Wire is pure"),
    ("Sources/Routing/A.swift", "import Foundation", "Routing is pure"),
    ("Sources/Engine/A.swift", "import Synchronization\nimport Wire", None),
    ("Sources/Engine/A.swift", "import Routing", "Package.swift does not say"),
    ("Tests/WireTests/A.swift", "@testable import Wire\nimport Testing", None),
    ("Tests/WireTests/A.swift", "import Engine", "Package.swift does not say"),
    ("Tests/Fuzz/A/A.swift", "import Engine", None),
    ("Benchmarks/Sources/A/A.swift", "import Engine", None),
]


def run():
    failures = []
    for rule, path, bad, good in SAMPLES:
        for text, is_wanted in ((bad, True), (good, False)):
            source = SwiftSource(path, text)
            if any(found.rule == rule for found in rules.violations(source)) != is_wanted:
                verb = "does not fire" if is_wanted else "fires"
                failures.append(f"{rule} {verb} on: {text[:200]!r}")
    untried = set(rules.RULES) - {rule for rule, *_ in SAMPLES}
    failures += [f"{rule} has no sample" for rule in untried]
    for added, wanted in PACKAGES:
        text = PACKAGE.replace("targets: [", "targets: [\n        " + added)
        said = [found.message for found in layers.Package(text).violations()]
        failures += disagreement(added, said, wanted)
    for path, text, wanted in IMPORTS:
        found = layers.Package(PACKAGE).import_violations(SwiftSource(path, text))
        failures += disagreement(f"{path}: {text}", [each.message for each in found], wanted)
    for failure in failures:
        print(f"tools/lint --self-test: {failure}")
    count = 2 * len(SAMPLES) + len(PACKAGES) + len(IMPORTS)
    print(f"tools/lint --self-test: {count} samples, {len(failures)} failures")
    return 1 if failures else 0


def disagreement(sample, said, wanted):
    if wanted is None and said:
        yield f"{sample!r}: {said}"
    if wanted is not None and not any(wanted in message for message in said):
        yield f"{sample!r}: wanted {wanted!r}, got {said}"
