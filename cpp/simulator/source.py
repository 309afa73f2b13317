"""A preprocessed source as tokens with brackets matched, and edits to be made on it."""

from __future__ import annotations

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"(?P<marker>^[ \t]*\#[^\n]*)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')'
    r"|(?P<number>\.?\d(?:[eEpP][+-]|[\w.'])*)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>\[\[|::|->|[^\w\s])",
    re.MULTILINE,
)
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}", "[[": "]"}, ")]}"
SPACES = ("device", "constant", "threadgroup", "thread")


class Refused(Exception):
    """Errors in the source, a line each."""


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Source:
    """The tokens of a preprocessed source, and edits to be made on it."""

    def __init__(self, text: str):
        self.text = text
        self.tokens: list[Token] = []
        self.strict: list[tuple[int, int, str]] = []  # edits: start, end, new text
        self.run: list[tuple[int, int, str]] = []
        self.errors: list[str] = []
        self.places: list[tuple[int, str, int]] = []  # offset, file, line there
        for m in TOKEN.finditer(text):
            if m.lastgroup == "marker":
                line = re.match(r'\s*#(?:line)?\s*(\d+)\s+"([^"]*)"', m.group())
                if line:
                    self.places.append((m.end() + 1, line[2], int(line[1])))
            else:
                self.tokens.append(Token(m.lastgroup or "", m.group(), *m.span()))
        self.match: dict[int, int] = {}  # from an opening token to its closing one
        stack, closed = [], -1
        for i, t in enumerate(self.tokens):
            if t.kind != "mark" or i <= closed:
                continue
            if t.text in OPEN:
                stack.append(i)
            elif (
                t.text in CLOSE
                and stack
                and OPEN[self.tokens[stack[-1]].text] == t.text
            ):
                attribute = self.tokens[stack[-1]].text == "[["  # ends with two of them
                closed = self.match[stack.pop()] = i + 1 if attribute else i

    def is_mark(self, i: int, text: str) -> bool:
        return i < len(self.tokens) and self.tokens[i].text == text

    def place(self, offset: int) -> tuple[str, int]:
        file, line, start = "kernel.metal", 1, 0
        for at, name, number in self.places:
            if at > offset:
                break
            file, line, start = name, number, at
        return file, line + self.text.count("\n", start, offset)

    def error(self, token: Token, message: str) -> None:
        file, line = self.place(token.start)
        self.errors.append(f"{file}:{line}: error: {message}")

    def edit(self, start: int, end: int, strict: str | None, run: str | None) -> None:
        """Replaces text in either pass; None leaves it."""
        lines = "\n" * self.text.count("\n", start, end)
        for edits, new in ((self.strict, strict), (self.run, run)):
            if new is not None:
                edits.append((start, end, new + lines))

    def edited(self, edits: list[tuple[int, int, str]]) -> str:
        parts, at = [], 0
        for start, end, new in sorted(edits, key=lambda e: e[:2]):
            if start >= at:  # else inside of text that is gone
                parts += [self.text[at:start], new]
                at = end
        return "".join(parts) + self.text[at:]


# With angle brackets as brackets: a guess that holds for declarations.


def split(source: Source, first: int, last: int) -> list[list[int]]:
    """Tokens first to last, split at commas that are in no bracket."""
    parts: list[list[int]] = [[]]
    i, angles = first, 0
    while i < last:
        text = source.tokens[i].text
        end = source.match.get(i, i)
        angles += (text == "<") - (text == ">")
        if text == "," and not angles:
            parts.append([])
        else:
            parts[-1] += range(i, end + 1)
        i = end + 1
    return [part for part in parts if part]


def depth(source: Source, first: int, i: int) -> int:
    """How many brackets, angles too, are open between token `first` and token i."""
    count = 0
    for j in range(first, i):
        text = source.tokens[j].text
        count += text in "([{<" if text else 0
        count -= text in ")]}>" if text else 0
    return count


def close_angle(source: Source, i: int) -> int:
    """One past the > of the < that token i is."""
    count = 0
    while i < len(source.tokens):
        text = source.tokens[i].text
        count += (text == "<") - (text == ">")
        i = source.match.get(i, i) + 1
        if count == 0 or text in ";{":
            break
    return i
