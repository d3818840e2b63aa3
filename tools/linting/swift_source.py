"""What the rules need to know of a Swift file: its code without comments and strings, and where
types and functions begin and end. Not a parser; it relies on swift-format for the layout."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """A function, initialiser, deinitialiser or subscript with a body; lines count from 1."""

    name: str
    line: int
    line_last: int
    body: str

    @property
    def lines(self):
        return self.line_last - self.line + 1


@dataclass(frozen=True)
class TypeDeclaration:
    name: str
    line: int
    is_top_level: bool


class SwiftSource:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        if self.lines and self.lines[-1] == "":
            self.lines.pop()
        # The code with everything else blanked: offsets and lines are those of the text.
        self.code, comments = mask(text)
        self.comment_lines = sum(
            1
            for code, comment in zip(self.code.split("\n"), comments.split("\n"))
            if comment.strip() and not code.strip()
        )
        self.filled_lines = sum(1 for line in self.lines if line.strip())

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def depth_at(self, offset):
        before = self.code[:offset]
        return before.count("{") - before.count("}")

    def types(self):
        pattern = r"(?<![\w.`])(struct|enum|class|actor|protocol|typealias)\s+(\w+)"
        for found in re.finditer(pattern, self.code):
            if found[1] == "class" and found[2] in ("func", "var", "subscript"):
                continue
            is_top_level = self.depth_at(found.start()) == 0
            yield TypeDeclaration(found[2], self.line_of(found.start()), is_top_level)

    def functions(self):
        pattern = r"(?<![\w.`])(?:func\s+([^\s(<]+)|(init|deinit|subscript)\b(?=[?!]?[\s(<{]))"
        for found in re.finditer(pattern, self.code):
            if found[2] and self.code[: found.start()].rstrip()[-1:] in (".", "="):
                continue
            opening = self.body_start(found.end())
            if opening is None:
                continue
            closing = closing_brace(self.code, opening)
            yield Function(
                found[1] or found[2],
                self.line_of(found.start()),
                self.line_of(closing),
                self.code[opening + 1 : closing],
            )

    def body_start(self, offset):
        """The opening brace of the declaration whose name ends at `offset`; None without body."""
        depth = 0
        for place in range(offset, len(self.code)):
            character = self.code[place]
            if character in "([":
                depth += 1
            elif character in ")]":
                depth -= 1
                if depth < 0:
                    return None
            elif character == "{" and depth == 0:
                return place
            elif character == "}" and depth == 0:
                return None
            elif character == "\n" and depth == 0:
                # A requirement of a protocol ends with its line, unless the next goes on.
                rest = self.code[place:].lstrip()
                if not re.match(r"(\{|->|where\b|throws\b|async\b|rethrows\b)", rest):
                    before = self.code[offset:place].rstrip()
                    if not before.endswith(("->", ",", "where", "throws", ":", "&")):
                        return None
        return None

    def documentation_line(self, line):
        """The line above a declaration, its attributes skipped; empty at the top of the file."""
        place = line - 2
        while place >= 0 and self.lines[place].strip().startswith("@"):
            place -= 1
        return self.lines[place].strip() if place >= 0 else ""


def closing_brace(code, opening):
    depth = 0
    for place in range(opening, len(code)):
        if code[place] == "{":
            depth += 1
        elif code[place] == "}":
            depth -= 1
            if depth == 0:
                return place
    return len(code) - 1


def mask(text):
    """The text twice, once with only its code and once with only its comments; all else but line
    breaks is blank. A string's quotes stay code, so that an empty one can be told."""
    code, comments = [], []
    place = 0

    def take(end, is_code=False, is_comment=False):
        nonlocal place
        for character in text[place:end]:
            kept = character == "\n"
            code.append(character if is_code or kept else " ")
            comments.append(character if is_comment or kept else " ")
        place = end

    while place < len(text):
        if text.startswith("//", place):
            end = text.find("\n", place)
            take(len(text) if end < 0 else end, is_comment=True)
        elif text.startswith("/*", place):
            take(end_of_block_comment(text, place), is_comment=True)
        elif opening := re.compile(r'(#*)("""|")').match(text, place):
            take(opening.end(), is_code=True)
            end = end_of_string(text, place, opening[2], opening[1])
            take(end - len(opening[2] + opening[1]))
            take(end, is_code=True)
        else:
            take(place + 1, is_code=True)
    return "".join(code), "".join(comments)


def end_of_block_comment(text, place):
    depth = 0
    while place < len(text):
        if text.startswith("/*", place):
            depth, place = depth + 1, place + 2
        elif text.startswith("*/", place):
            depth, place = depth - 1, place + 2
            if depth == 0:
                return place
        else:
            place += 1
    return len(text)


def end_of_string(text, place, quotes, hashes):
    """Just after the string whose content begins at `place`."""
    closing = quotes + hashes
    escape = "\\" + hashes
    while place < len(text):
        if text.startswith(closing, place):
            return place + len(closing)
        if text.startswith(escape + "(", place):
            place = end_of_interpolation(text, place + len(escape) + 1)
        elif text.startswith(escape, place):
            place += len(escape) + 1
        else:
            place += 1
    return len(text)


def end_of_interpolation(text, place):
    depth = 1
    while place < len(text) and depth > 0:
        if opening := re.compile(r'(#*)("""|")').match(text, place):
            place = end_of_string(text, opening.end(), opening[2], opening[1])
            continue
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        place += 1
    return place
