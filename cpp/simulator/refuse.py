"""What C++ would accept and MSL does not, as far as the tokens tell."""

from __future__ import annotations

from source import SPACES, Source

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
