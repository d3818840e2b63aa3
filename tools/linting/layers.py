"""The layers: a module imports only what is below it, and only what Package.swift says."""

import re

from rules import Violation
from swift_source import mask

# Lowest first. A module may import those of the lines above its own. `SimulatedKernel` stands in
# for the kernel, so it sees as much as `Kernel`'s users do; only tests import it.
LAYERS = (
    ("CLibYAML", "CPCRE2", "CLiburing", "CLinux", "COpenSSL", "CAres", "CNghttp2"),
    ("Primitives",),
    ("Wire",),
    ("Kernel",),
    ("SimulatedKernel", "HTTP", "Traffic"),
    ("Routing",),
    ("TLS", "HTTP2"),
    ("Resolver", "Health"),
    ("Discovery",),
    ("Engine", "Manifest"),
    ("GatewayAPI",),
    ("Control",),
    ("Admin",),
    ("apus", "KernelCheck"),
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}

# Pure modules take bytes and values and give bytes and values: no system module in them.
PURE = ("Wire", "Routing")
SYSTEM_MODULES = ("Foundation", "FoundationEssentials", "Glibc", "Musl", "Dispatch")
IMPORT = re.compile(
    r"^[ \t]*(?:@\w+[ \t]+)*(?:(?:public|package|internal|fileprivate|private)[ \t]+)?"
    r"import[ \t]+(?:(?:struct|class|enum|protocol|func|var|let|typealias)[ \t]+)?(\w+)",
    re.MULTILINE,
)


class Package:
    """The targets of a Package.swift with their dependencies, as far as they are this project's."""

    def __init__(self, text):
        code, _ = mask(text)
        self.dependencies = {}
        self.lines = {}
        self.tests = set()
        pattern = r"\.(target|executableTarget|testTarget|systemLibrary)\(\s*name:\s*\""
        for found in re.finditer(pattern, code):
            end = closing_parenthesis(code, code.index("(", found.start()))
            declaration = text[found.start() : end]
            name = re.search(r'name:\s*"([\w-]+)"', declaration)[1]
            listed = re.search(r"dependencies:\s*\[(.*)\]", declaration, re.DOTALL)
            content = re.sub(r"\.product\([^)]*\)", "", listed[1]) if listed else ""
            self.dependencies[name] = set(re.findall(r'"([\w-]+)"', content))
            self.lines[name] = text.count("\n", 0, found.start()) + 1
            if found[1] == "testTarget":
                self.tests.add(name)

    def violations(self):
        for target, dependencies in self.dependencies.items():
            if target in self.tests:
                continue
            line = self.lines[target]
            if target not in LAYER:
                yield Violation(
                    "Package.swift", line, "layering",
                    f"{target} has no layer; give it one in tools/linting/layers.py")
                continue
            for dependency in sorted(dependencies):
                if LAYER.get(dependency, len(LAYERS)) >= LAYER[target]:
                    yield Violation(
                        "Package.swift", line, "layering",
                        f"{target} depends on {dependency}, which is not below it")

    def import_violations(self, source):
        parts = source.path.split("/")
        if parts[0] not in ("Sources", "Tests") or parts[1] == "Fuzz" or len(parts) < 3:
            return
        target = parts[1]
        for found in IMPORT.finditer(source.code):
            message = self.judge(target, found[1])
            if message:
                line = source.line_of(found.start(1))
                yield Violation(source.path, line, "layering", message)

    def judge(self, target, module):
        """What is wrong with an import; None when nothing is."""
        if target in PURE and module in SYSTEM_MODULES:
            return f"{target} is pure and imports no {module}"
        if module not in self.dependencies or module == target:
            return None
        if target not in self.tests and LAYER.get(module, 0) >= LAYER.get(target, 0):
            return f"{target} imports {module}, which is not below it"
        if module not in self.dependencies.get(target, set()):
            return f"{target} imports {module}, which Package.swift does not say"
        return None


def closing_parenthesis(code, opening):
    depth = 0
    for place in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return place
    return len(code)
