"""The rules of shape: each is a function from a `SwiftSource` to (line, message) pairs, named by
the word that stands in front of its messages."""

import re
from dataclasses import dataclass

LINES_MAX = 500
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100

BANNED_NAMES = re.compile(r"(Manager|Context|Helper|Util|Utils|Utility|Utilities)(?=[A-Z0-9_]|$)")
HOT = ("Sources/Engine/", "Sources/Kernel/")


@dataclass(frozen=True, order=True)
class Violation:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def file_length(source):
    if len(source.lines) > LINES_MAX:
        yield LINES_MAX + 1, f"the file has {len(source.lines)} lines; {LINES_MAX} is the most"


def line_length(source):
    # What a program writes has the lines of what it is written from.
    if source.lines[:1] == ["// swift-format-ignore-file"]:
        return
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"the line has {len(line)} columns; {COLUMNS_MAX} is the most"


def function_length(source):
    for function in source.functions():
        if function.lines > FUNCTION_LINES_MAX and not is_flat(function.body):
            yield function.line, (
                f"{function.name} has {function.lines} lines; {FUNCTION_LINES_MAX} is the most,"
                " unless its body is one switch or one table"
            )


def is_flat(body):
    """Whether a body is a single `switch`, or a single array literal."""
    body = body.strip()
    if re.match(r"(return\s+)?switch\b", body):
        return len(top_level_blocks(body, "{", "}")) == 1 and body.endswith("}")
    if re.match(r"(return\s*)?\[", body):
        return len(top_level_blocks(body, "[", "]")) == 1 and body.endswith("]")
    return False


def top_level_blocks(text, opening, closing):
    depth, blocks, start = 0, [], 0
    for place, character in enumerate(text):
        if character == opening:
            if depth == 0:
                start = place
            depth += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                blocks.append(text[start : place + 1])
    return blocks


def type_documentation(source):
    if not source.path.startswith("Sources/"):
        return
    for declaration in source.types():
        if not declaration.is_top_level or is_alias(source, declaration):
            continue
        if not source.documentation_line(declaration.line).startswith("///"):
            yield declaration.line, f"{declaration.name} has no doc comment that says what it is"


def is_alias(source, declaration):
    return re.search(rf"\btypealias\s+{declaration.name}\b", source.lines[declaration.line - 1])


def banned_name(source):
    for declaration in source.types():
        if found := BANNED_NAMES.search(declaration.name):
            yield declaration.line, (
                f"{declaration.name}: name it for what it is, not {found[0]}"
            )


def force_try(source):
    yield from matches(source, r"(?<!\w)try!", "handle the error, or `precondition` what is meant")


def empty_catch(source):
    yield from matches(
        source, r"(?<![\w.])catch\b[^{}]*\{\s*\}", "a caught error is counted, told or passed on")


def unfinished(source):
    for number, line in enumerate(source.lines, 1):
        if found := re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, f"{found[0]}: finish it, or open an issue"


def skipped_test(source):
    if source.path.startswith("Tests/"):
        yield from matches(source, r"\.disabled\(|\bXCTSkip", "a test runs or does not exist")


def test_name(source):
    """Names are sentences: a display name, or a name in backticks."""
    if "Tests/" not in source.path:
        return
    for found in re.finditer(r"@Test\b(\(\s*\")?", source.code):
        if found[1] is None:
            name = re.compile(r"\bfunc\s+(`?)").search(source.code, found.end())
            if name is None or not name[1]:
                yield source.line_of(found.start()), "the test's name is a sentence"


def hot_path(source):
    """`Engine` and `Kernel`: no lock or queue but at start, no existential, no dictionary."""
    if not source.path.startswith(HOT):
        return
    said = {
        r"\b(async|await)\b": "a worker is one thread that waits only for its ring",
        r"\b(DispatchQueue|DispatchSemaphore|NSLock|NSCondition)\b": "a worker takes no lock",
        r"\bimport\s+(Foundation|Dispatch)\b": "the data path needs no Foundation",
        r"(?<![\w.])any\s+[A-Z]": "an existential costs 6 ns a call; switch on a kind",
        r"\bDictionary\b|\[\s*[A-Z][\w.]*\s*:\s*[A-Z][\w.]*\??\s*\]": (
            "a dictionary costs 10 ns a look-up; use a slab or a table"
        ),
    }
    for pattern, message in said.items():
        yield from matches(source, pattern, message)


def matches(source, pattern, message):
    for found in re.finditer(pattern, source.code):
        word = " ".join(found[0].split())
        yield source.line_of(found.start()), f"`{word}`: {message}"


RULES = {
    "file-length": file_length,
    "line-length": line_length,
    "function-length": function_length,
    "type-documentation": type_documentation,
    "banned-name": banned_name,
    "force-try": force_try,
    "empty-catch": empty_catch,
    "unfinished": unfinished,
    "skipped-test": skipped_test,
    "test-name": test_name,
    "hot-path": hot_path,
}


def violations(source):
    for rule, judge in RULES.items():
        for line, message in judge(source):
            yield Violation(source.path, line, rule, message)
