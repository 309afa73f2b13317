"""Metal Shading Language to C++, position by position: a line stays the line it was.

Cuts attributes, gives threadgroup variables and function constants their places, writes
vector constructors as C++ has them, and appends what registers each kernel. What C++
would accept and MSL does not is refused here or, for address spaces, by the compiler.
"""

from __future__ import annotations

from typing import NamedTuple

from refuse import refuse
from source import SPACES, Refused, Source, Token, close_angle, depth, split

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


class Parameter(NamedTuple):
    name: str
    type: str
    space: str  # of SPACES, or "attribute"
    index: str


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


def statement_start(source: Source, i: int) -> int:
    """The first token of the statement or declaration that token i is in."""
    while i and source.tokens[i - 1].text not in (";", "{", "}"):
        i -= 1
    return i


def find_kernels(source: Source) -> list[tuple[int, int]]:
    """Registers every kernel; returns the tokens between which their bodies are."""
    tokens, known, bodies = source.tokens, {}, []
    for i, t in enumerate(tokens):
        if t.text != "kernel":
            continue
        attribute = source.is_mark(i - 1, "[[")
        first = source.match[i - 1] + 1 if attribute else i + 1
        start = statement_start(source, i)
        host = next((j for j in range(start, i) if tokens[j].text == "host_name"), None)
        if host is not None and source.is_mark(start, "template"):
            if not source.is_mark(start + 1, "<"):
                instantiation(source, known, host, first, t)
                continue
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if not attribute and after not in ("void", "[["):
            source.error(t, "kernel is a keyword of MSL: no name can be that")
            continue
        opened = first
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
    else:  # a declaration, with the parameters written out or by a typedef
        opened = next((j for j in range(first, last) if source.is_mark(j, "(")), last)
        start = next(
            (j for j in range(first, opened) if tokens[j].text in known), opened
        )
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
        alias(source, i, names)
        if t.kind != "name" or (t.text not in names and t.text != "vec"):
            continue
        end = close_angle(source, i + 1) if t.text == "vec" else i + 1
        before = tokens[i - 1].text if i else ""
        if before == "(" and source.is_mark(end, ")"):
            cast(source, i - 1, end, source.text[t.start : tokens[end].start])
        no_call = before in (".", "->", "operator", "decltype")
        if not source.is_mark(end, "(") or no_call:
            continue
        start, stop = tokens[i - 2 if before == "::" else i].start, tokens[end - 1].end
        source.edit(start, start, "::veem_msl::make<", "::veem_msl::make<")
        source.edit(stop, stop, ">", ">")


def alias(source: Source, i: int, names: set[str]) -> None:
    """Adds to the names of vectors: using F = vec<float, 4>; typedef float4 F;"""
    tokens = source.tokens
    if tokens[i].text == "using" and source.is_mark(i + 2, "="):
        kinds = [t.text for t in tokens[i + 3 : i + 6]]  # metal::vec
        if any(kind == "vec" or kind in names for kind in kinds):
            names.add(tokens[i + 1].text)
    elif tokens[i].text == "typedef":
        end = next(j for j in range(i, len(tokens)) if source.is_mark(j, ";"))
        kinds = [t.text for t in tokens[i + 1 : i + 4]]
        if kinds[0] in names or "vec" in kinds:
            names.add(tokens[end - 1].text)


def cast(source: Source, opened: int, closed: int, kind: str) -> None:
    """(float4)x is a call of an operator that binds as tightly, nearly."""
    tokens = source.tokens
    before, after = tokens[opened - 1], tokens[closed + 1]
    operand = after.kind in ("name", "number") or after.text in "(-"
    if operand and (before.text == "return" or before.text in "=(,{;?:&|+-*/<>!"):
        new = f"::veem_msl::Cast<{kind}>() ->* "
        source.edit(tokens[opened].start, tokens[closed].end, new, new)
