"""Metal Shading Language to C++, position by position: a line stays the line it was.

Cuts attributes, gives threadgroup variables and function constants their places, writes
vector constructors as C++ has them, and appends what registers each kernel. What C++
would accept and MSL does not is refused here or, for address spaces, by the compiler.
"""

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
ATTRIBUTES = [  # in the order of veem_msl::Attribute
    "thread_position_in_grid",
    "thread_position_in_threadgroup",
    "threadgroup_position_in_grid",
    "threads_per_grid",
    "threads_per_threadgroup",
    "dispatch_threads_per_threadgroup",
    "threadgroups_per_grid",
    "thread_index_in_threadgroup",
    "thread_index_in_simdgroup",
    "simdgroup_index_in_threadgroup",
    "threads_per_simdgroup",
    "simdgroups_per_threadgroup",
    "thread_index_in_quadgroup",
    "quadgroup_index_in_threadgroup",
]
SCALARS = "char uchar short ushort int uint long ulong float half bfloat bool".split()
VECTORS = {f"{scalar}{n}" for scalar in SCALARS for n in (2, 3, 4)}
VECTORS |= {
    f"packed_{vector}" for vector in ("float2", "float3", "float4", "half2", "half4")
}
NOT_MSL = {
    "double": "MSL has no double: use float",
    "new": "MSL has no new",
    "delete": "MSL has no delete",
    "try": "MSL has no exceptions",
    "throw": "MSL has no exceptions",
    "goto": "MSL has no goto",
    "virtual": "MSL has no virtual functions",
    "dynamic_cast": "MSL has no dynamic_cast",
    "typeid": "MSL has no typeid",
    "asm": "MSL has no asm",
    "thread_local": "MSL has no thread_local",
    "vertex": "vertex is a keyword of MSL, and its functions do not run here",
    "fragment": "fragment is a keyword of MSL, and its functions do not run here",
}


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Parameter(NamedTuple):
    name: str
    type: str
    space: str  # of SPACES, or "attribute"
    index: str


class Refused(Exception):
    """Errors in the source, a line each."""


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


def rewrite(text: str) -> tuple[str, str]:
    """The strict and the running version of a source; raises Refused."""
    source = Source(text)
    refuse(source)
    kernels = find_kernels(source)
    variables(source, kernels)
    constants(source)
    constructors(source)
    for opened, closed in source.match.items():  # attributes have been read: cut them
        if source.tokens[opened].text == "[[":
            source.edit(source.tokens[opened].start, source.tokens[closed].end, "", "")
    if source.errors:
        raise Refused("\n".join(source.errors))
    return source.edited(source.strict), source.edited(source.run)


def refuse(source: Source) -> None:
    """What needs no types to be seen."""
    tokens = source.tokens
    for i, t in enumerate(tokens):
        before = tokens[i - 1].text if i else ""
        if t.kind == "name" and t.text in NOT_MSL:
            source.error(t, NOT_MSL[t.text])
        elif t.kind == "name" and t.text.startswith("__builtin"):
            source.error(t, f"MSL has no {t.text}")
        elif t.text == "[" and i and (before in "=(,{;?:&|" or before == "return"):
            source.error(t, "MSL has no lambdas")
        elif t.text == "(" and i in source.match:
            inside = tokens[i + 1 : source.match[i]]
            pointer = len(inside) > 2 and inside[-1].text in "*&"
            cast = pointer and any(s.text in SPACES for s in inside)
            if cast and (before in "=(,{;?:&|+-*/!" or before == "return"):
                source.error(t, "a C-style cast of a pointer: use reinterpret_cast")
    recursion(source)


def recursion(source: Source) -> None:
    """Functions of one definition that reach themselves, other than by templates."""
    tokens, bodies = source.tokens, {}
    for i, t in enumerate(tokens):
        named = t.kind == "name" and source.is_mark(i + 1, "(")
        if not named or i + 1 not in source.match or i == 0:
            continue
        after = source.match[i + 1] + 1
        if source.is_mark(after, "const"):
            after += 1
        returns = tokens[i - 1].kind == "name" or tokens[i - 1].text in ">*&"
        if returns and source.is_mark(after, "{") and after in source.match:
            bodies.setdefault(t.text, []).append((t, after, source.match[after]))
    calls = {}
    for name, found in bodies.items():
        if len(found) == 1:
            _, first, last = found[0]
            calls[name] = {
                t.text
                for j, t in enumerate(tokens[first:last], first)
                if t.kind == "name" and source.is_mark(j + 1, "(")
                if tokens[j - 1].text not in (".", "->", "::")
            }
    for name in calls:
        reached, todo = set(), [name]
        while todo:
            new = (calls[todo.pop()] & calls.keys()) - reached
            reached |= new
            todo += new
        if name in reached:
            source.error(
                bodies[name][0][0], f"{name} calls itself: MSL has no recursion"
            )


def statement_start(source: Source, i: int) -> int:
    """The first token of the statement or declaration that token i is in."""
    while i and source.tokens[i - 1].text not in (";", "{", "}"):
        i -= 1
    return i


def find_kernels(source: Source) -> list[tuple[int, int]]:
    """Registers every kernel; returns the tokens between which their bodies are."""
    tokens, known, bodies = source.tokens, {}, []
    for i, t in enumerate(tokens):
        attribute = t.text == "kernel" and source.is_mark(i - 1, "[[")
        if t.text != "kernel":
            continue
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if not attribute and after not in ("void", "[[", "decltype"):
            source.error(t, "kernel is a keyword of MSL: no name can be that")
            continue
        start = statement_start(source, i)
        host = next((j for j in range(start, i) if tokens[j].text == "host_name"), None)
        if host is not None and source.is_mark(start, "template"):
            if not source.is_mark(start + 1, "<"):
                instantiation(source, known, host, i + 3 if attribute else i + 1, t)
                continue
        opened = i + 1
        while opened < len(tokens) and not source.is_mark(opened, "("):
            opened = (
                source.match[opened] + 1 if tokens[opened].text == "[[" else opened + 1
            )
        closed = source.match.get(opened)
        if closed is None or not source.is_mark(closed + 1, "{"):
            if closed is None or not source.is_mark(closed + 1, ";"):
                source.error(t, "a kernel is a function with a body")
            continue
        name = tokens[opened - 1].text
        known[name] = parameters(source, opened, closed, name)
        body = closed + 1, source.match.get(closed + 1, len(tokens) - 1)
        bodies.append(body)
        if not source.is_mark(start, "template"):
            label = f'"{name}"' if host is None else host_name(source, host)
            register(
                source,
                known[name],
                label,
                name,
                tokens[opened - 1],
                tokens[body[1]].end,
            )
    return bodies


def host_name(source: Source, at: int) -> str:
    """The literals in host_name("f_" "float")."""
    literals = source.tokens[at + 2 : source.match[at + 1]]
    return " ".join(t.text for t in literals)


def instantiation(
    source: Source, known: dict, host: int, first: int, kernel: Token
) -> None:
    """template [[host_name("f_float")]] [[kernel]] decltype(f<float>) f<float>;"""
    tokens, label = source.tokens, host_name(source, host)
    last = first
    while not source.is_mark(last, ";"):
        last += 1
    if source.is_mark(first, "decltype"):
        opened = first + 1
        entity = tokens[opened].end, tokens[source.match[opened]].start
        names = tokens[opened:last]
    else:  # a declaration with its parameters written out
        opened = next(j for j in range(first, last) if source.is_mark(j, "("))
        start = next(j for j in range(first, opened) if tokens[j].text in known)
        entity = tokens[start].start, tokens[opened].start
        names = tokens[start:opened]
    name = next((t.text for t in names if t.text in known), None)
    if name is None:
        return source.error(
            kernel, f"{label} is an instantiation of no kernel seen before"
        )
    text = source.text[slice(*entity)].strip()
    register(source, known[name], label, text, kernel, tokens[last].end)


def register(source, parameters, label, entity, token, at) -> None:
    file, line = source.place(token.start)
    msl, entity = "::veem_msl::", " ".join(entity.split())
    listed = "".join(
        f', {msl}Parameter{{"{p.name}", "{p.type}", {msl}k{p.space.title()}, '
        f"int({p.index})}}"
        for p in parameters
    )
    kind = f"{msl}Registered<decltype({entity}), &{entity}, {len(parameters)}>"
    name = f"veem_kernel_{token.start}"
    source.edit(
        at, at, None, f' static {kind} {name}({label}, "{file}", {line}{listed});'
    )


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


def parameters(
    source: Source, opened: int, closed: int, kernel: str
) -> list[Parameter]:
    """What a kernel takes, from its attributes."""
    tokens, found = source.tokens, []
    for part in split(source, opened + 1, closed):
        attributes, plain, skip = {}, [], -1
        for i in part:
            if tokens[i].text == "[[":
                skip = source.match[i]
                for item in split(source, i + 1, skip - 1):
                    argument = tokens[item[-1]]
                    inner = source.text[tokens[item[0]].end : argument.end].strip()
                    attributes[tokens[item[0]].text] = inner
            elif i > skip:
                plain.append(tokens[i])
        name = [t for t in plain if t.kind == "name"][-1]
        texts = [t.text for t in plain]
        space = next((t for t in texts if t in SPACES), None)
        words = [t for t in texts[: texts.index(name.text)] if t not in SPACES]
        words = [
            t for t in words if t not in ("const", "volatile", "*", "&", "restrict")
        ]
        kind = (
            " ".join(words).replace(" :: ", "::").replace(" <", "<").replace(" >", ">")
        )
        place = next((a for a in ("buffer", "threadgroup") if a in attributes), None)
        builtin = next((a for a in ATTRIBUTES if a in attributes), None)
        pointer = "*" in texts or "&" in texts
        if place and space is None:
            source.error(
                name, f"{name.text} is in no address space: say device or constant"
            )
        elif place == "threadgroup" and space != "threadgroup":
            source.error(
                name, f"[[threadgroup]] is for threadgroup memory, not {name.text}"
            )
        elif place == "buffer" and space not in ("device", "constant"):
            source.error(
                name, f"[[buffer]] is for device or constant memory, not {name.text}"
            )
        elif place and not pointer:
            source.error(name, f"{name.text} is bound memory: a pointer or a reference")
        elif place:
            found.append(Parameter(name.text, kind, space, attributes[place]))
        elif builtin:
            number = str(ATTRIBUTES.index(builtin))
            found.append(Parameter(name.text, kind, "attribute", number))
        elif attributes:
            unknown = next(iter(attributes))
            source.error(
                name, f"the simulator does not know the attribute [[{unknown}]]"
            )
        else:
            source.error(name, f"{name.text} of kernel {kernel} has no attribute")
    return found


def variables(source: Source, bodies: list[tuple[int, int]]) -> None:
    """threadgroup T name[n]; -> a reference to memory that the engine keeps."""
    tokens = source.tokens
    for i, t in enumerate(tokens):
        if t.text != "threadgroup" or (i and tokens[i - 1].text not in (";", "{", "}")):
            continue
        end = i
        while end < len(tokens) and not source.is_mark(end, ";"):
            end = source.match.get(end, end) + 1
        parts = split(source, i + 1, end)
        outer = [
            tokens[j].text for part in parts for j in part if depth(source, i, j) == 0
        ]
        if any(mark in outer for mark in ("*", "&", "(", "=")) or not parts:
            if "=" in outer and not any(mark in outer for mark in ("*", "&")):
                source.error(t, "threadgroup variables have no initializers")
            continue
        if not any(first < i < last for first, last in bodies):
            source.error(t, "a threadgroup variable stands in a kernel's body")
            continue
        names = []
        for part in parts:
            brackets = [j for j in part if source.is_mark(j, "[")]
            stop = part.index(brackets[0]) if brackets else len(part)
            names.append(part[stop - 1])
        head = source.text[t.end : tokens[names[0]].start]
        declared, made = [], []
        for part, name in zip(parts, names):
            word = tokens[name].text
            kind = f"veem_{tokens[name].start}_{word}"
            dims = source.text[tokens[name].end : tokens[part[-1]].end]
            declared.append(f"{kind}{dims}")
            place = f'::veem_msl::variable<{kind}>({name}, "{word}")'
            made.append(f" threadgroup {kind}& {word} = {place};")
        new = f"typedef {head.strip()} {', '.join(declared)};{''.join(made)}"
        new = " ".join(new.split())
        source.edit(t.start, tokens[end].end, new, new)


def depth(source: Source, first: int, i: int) -> int:
    """How many brackets, angles too, are open between token `first` and token i."""
    count = 0
    for j in range(first, i):
        text = source.tokens[j].text
        count += text in "([{<" if text else 0
        count -= text in ")]}>" if text else 0
    return count


def constants(source: Source) -> None:
    """Function constants become variables that are set, and what depends on them."""
    tokens, known = source.tokens, set()
    for i, t in enumerate(tokens):
        if t.text != "constant" or (
            i and tokens[i - 1].text not in (";", "{", "}", "static")
        ):
            continue
        end = i
        while end < len(tokens) and tokens[end].text not in (";", "="):
            end = source.match.get(end, end) + 1
        index = next(
            (j for j in range(i, end) if tokens[j].text == "function_constant"), None
        )
        if index is not None:
            name = next(j for j in range(i, end) if source.is_mark(j, "[[")) - 1
            kind = source.text[t.end : tokens[name].start].strip()
            number = source.text[
                tokens[index + 1].end : tokens[source.match[index + 1]].start
            ]
            word = tokens[name].text
            run = (
                f"static {kind} {word}; static ::veem_msl::RegisteredConstant "
                f'veem_constant_{word}("{word}", int({number}), {word});'
            )
            source.edit(t.start, t.start, "extern ", None)
            source.edit(t.start, tokens[end].end, None, " ".join(run.split()))
            known.add(word)
        elif source.is_mark(end, "="):
            word, start = tokens[end - 1], end
            while not source.is_mark(end, ";"):
                end = source.match.get(end, end) + 1
            if not any(x.text in known for x in tokens[start:end]):
                continue
            kind = source.text[t.end : word.start].strip()
            value = source.text[tokens[start].end : tokens[end].start].strip()
            run = (
                f"static {kind} {word.text}; static ::veem_msl::RegisteredDerived "
                f"veem_derived_{word.text}([] {{ {word.text} = {value}; }});"
            )
            source.edit(t.start, tokens[end].end, None, " ".join(run.split()))
            known.add(word.text)


def constructors(source: Source) -> None:
    """float4(a, b) is no C++: make<float4>(a, b) is."""
    tokens, names = source.tokens, set(VECTORS)
    for i, t in enumerate(tokens):
        if t.text == "using" and source.is_mark(
            i + 2, "="
        ):  # using float4 = vec<float, 4>;
            kind = next(
                (x.text for x in tokens[i + 3 : i + 6] if x.text in names | {"vec"}), ""
            )
            if kind and not source.is_mark(i + 6, "("):
                names.add(tokens[i + 1].text)
        if t.text == "typedef":
            end = next(j for j in range(i, len(tokens)) if source.is_mark(j, ";"))
            if tokens[i + 1].text in names or any(
                x.text == "vec" for x in tokens[i + 1 : i + 4]
            ):
                names.add(tokens[end - 1].text)
        if t.kind != "name" or (t.text not in names and t.text != "vec"):
            continue
        end = i + 1
        if t.text == "vec":
            end = close_angle(source, i + 1)
        before = tokens[i - 1].text if i else ""
        if not source.is_mark(end, "(") or before in (
            ".",
            "->",
            "operator",
            "decltype",
        ):
            continue
        first = i - 2 if before == "::" else i
        make = "::metal::make<", ">"
        source.edit(tokens[first].start, tokens[first].start, make[0], make[0])
        source.edit(tokens[end - 1].end, tokens[end - 1].end, make[1], make[1])


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
