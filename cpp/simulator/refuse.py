"""What C++ would accept and MSL does not, as far as the tokens tell."""

from __future__ import annotations

from source import SPACES, Source, close_angle

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
            if not source.is_mark(
                source.match.get(i, i) + 1, "="
            ):  # as in {[0 ... 3] = x}
                source.error(t, "MSL has no lambdas")
        elif t.text == "(" and i in source.match:
            inside = tokens[i + 1 : source.match[i]]
            pointer = len(inside) > 2 and inside[-1].text in "*&"
            cast = pointer and any(s.text in SPACES for s in inside)
            if cast and (before in "=(,{;?:&|+-*/!" or before == "return"):
                source.error(t, "a C-style cast of a pointer: use reinterpret_cast")
    program_scope(source, 0, len(tokens))
    statics(source)
    recursion(source)


# ---- variables that live as long as the program --------------------------------------

IN_CONSTANT = "variable must reside in constant address space: write `constant`"
TYPES = {"struct", "class", "union"}
NO_VARIABLES = {"using", "typedef", "template", "enum", "friend", "static_assert"}


def program_scope(source: Source, first: int, last: int) -> None:
    """Refuses constexpr int n = 3; outside of functions and types."""
    tokens, i = source.tokens, first
    while i < last:
        start = i
        if source.is_mark(i, "template") and source.is_mark(i + 1, "<"):
            start = i = close_angle(source, i + 1)
        i, head = outline(source, i, last)
        end, kind = source.match.get(i, last), TYPES & set(head)
        if source.is_mark(i, "{"):
            if "namespace" in head or head[:1] == ["extern"]:
                program_scope(source, i + 1, end)
            if "namespace" in head or head[:1] == ["extern"] or is_function(head):
                i = end + 1
                continue
            i, names = outline(source, end + 1, last)
            head = head if names or not kind else []  # struct S { ... };
        elif kind and len(head) == 2:  # struct S;
            head = []
        i += 1
        variable = head and not is_function(head) and head[0] not in NO_VARIABLES
        if variable and not {"constant", "threadgroup", "static"} & set(head):
            source.error(tokens[start], f"program scope {IN_CONSTANT}")


def outline(source: Source, i: int, last: int) -> tuple[int, list[str]]:
    """Token i to the next ; or {, without what stands in brackets."""
    head = []
    while i < last and source.tokens[i].text not in (";", "{"):
        if source.tokens[i].text in ("alignas", "decltype"):
            i += 1
        else:
            head.append(source.tokens[i].text)
        i = source.match.get(i, i) + 1
    return i, head


def is_function(head: list[str]) -> bool:
    before = head[: head.index("=")] if "=" in head else head
    return "(" in before or "operator" in head


def statics(source: Source) -> None:
    """The same for all that is static: members of types, variables of functions."""
    for i, t in enumerate(source.tokens):
        if t.text != "static":
            continue
        start = i
        while start and source.tokens[start - 1].text not in (";", "{", "}", ":"):
            start -= 1
        head = outline(source, start, len(source.tokens))[1]
        if "constant" not in head and not is_function(head):
            source.error(t, f"static {IN_CONSTANT}")


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
