"""python -m veem run --list-missing: reads off a program what veem lacks for it.

The source is parsed, not run. Names are followed through imports, aliases and chains
of attributes; methods of tensors where an expression is known to give a tensor.
"""

import ast
import sys
import types

import veem
from veem.compat import notebook
from veem.compat.modules import ROOTS, lacking, resolve
from veem.compat.refused import Refused

TENSOR = "torch.Tensor"
# Functions and methods whose result is one tensor, whatever their arguments are.
MAKE_TENSORS = set(
    """abs add arange as_tensor bernoulli bmm cat ceil clamp clone concat concatenate
    contiguous cos cpu cuda detach div dot double exp expand eye flatten flip float
    floor from_numpy full full_like gather half linspace log long masked_fill matmul
    mean mm mul multinomial neg normal one_hot ones ones_like outer permute pow rand
    rand_like randint randn randn_like randperm relu repeat reshape round rsqrt sigmoid
    sin softmax sqrt square squeeze stack sub sum t tanh tensor tile transpose tril
    triu unsqueeze view where zeros zeros_like Tensor FloatTensor LongTensor""".split()
)


def main(paths):
    """Prints what the programs lack, a line each; 1 if there is any, else 0.

    2 where a file cannot be read as a program.
    """
    total = 0
    for path in paths:
        try:
            found = find(*_source(path))
        except (OSError, SyntaxError, ValueError) as error:
            print(f"{path}: cannot be read: {error}", file=sys.stderr)
            return 2
        for line, name, says in found:
            print(f"{path}:{line}: {name}: {says}")
        total += len(found)
    print(f"{total} name{'s' * (total != 1)} missing", file=sys.stderr)
    return int(total > 0)


def _source(path):
    """A file's text, and how to call it; a notebook's cells in one, as in `cat`."""
    if not path.endswith(".ipynb"):
        with open(path, "rb") as file:
            return file.read(), path
    return "\n".join(notebook.plain(text) for _, text in notebook.cells(path)), path


def find(source, path="<source>"):
    """What a program asks for in vain: (line, name, what to say), in order."""
    reader = _Reader()
    reader.visit(ast.parse(source, path))
    return sorted(reader.found)


class _Reader(ast.NodeVisitor):
    def __init__(self):
        self.names = {}  # of the program: dotted names of torch, None if not known
        self.found = set()

    # ---- what names stand for --------------------------------------------------------

    def visit_Import(self, node):
        for alias in node.names:
            root = alias.name.split(".")[0]
            if root in ROOTS:
                self._check(alias.name, node)
                bound = alias.name if alias.asname else root
                self.names[alias.asname or root] = bound

    def visit_ImportFrom(self, node):
        module = node.module or ""
        if node.level or module.split(".")[0] not in ROOTS:
            return
        for alias in node.names:
            if alias.name != "*":
                self._check(f"{module}.{alias.name}", node)
                self.names[alias.asname or alias.name] = f"{module}.{alias.name}"
            elif self._check(module, node):
                self.names |= {n: f"{module}.{n}" for n in dir(resolve(module))}

    def visit_Assign(self, node):
        self.visit(node.value)
        known = self._full(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._bind(target.id, known)
            else:
                self.visit(target)

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id, None)

    def _bind(self, name, known):
        """What is bound to different things is not known."""
        self.names[name] = known if self.names.get(name, known) == known else None

    def visit_FunctionDef(self, node):
        outer = dict(self.names)
        for part in ast.walk(node.args):
            if isinstance(part, ast.arg):
                self.names[part.arg] = None
        self.generic_visit(node)
        self.names = outer

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_ClassDef(self, node):
        outer = dict(self.names)
        self.generic_visit(node)
        self.names = outer

    def _visit_comprehension(self, node):
        outer = dict(self.names)
        for part in reversed(list(ast.iter_child_nodes(node))):  # what it binds first
            self.visit(part)
        self.names = outer

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _visit_comprehension
    visit_DictComp = _visit_comprehension

    # ---- what is asked of them -------------------------------------------------------

    def visit_Attribute(self, node):
        full = self._full(node)
        if full and isinstance(node.ctx, ast.Load):
            self._check(full, node)
        inner = node.value
        while isinstance(inner, ast.Attribute) and full:
            inner = inner.value
        self.visit(inner)

    def _full(self, node):
        """The dotted name of torch that an expression stands for, or None."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._full(node.value)
            return f"{owner}.{node.attr}" if owner else None
        if isinstance(node, ast.BinOp):
            sides = self._full(node.left), self._full(node.right)
            return TENSOR if TENSOR in sides else None
        if isinstance(node, ast.Call):
            module, _, name = (self._full(node.func) or "").rpartition(".")
            places = ("torch", "torch.nn.functional", TENSOR)
            return TENSOR if module in places and name in MAKE_TENSORS else None
        return None

    def _check(self, full, node):
        """Notes what is not there or refused; True if all is there."""
        parts = full.split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            if says := _problem(name):
                self.found.add((node.lineno, name, says))
                return False
        return True


def _problem(full):
    """What is wrong with a dotted name; None if nothing is, or it cannot be known."""
    try:
        value = resolve(full)
    except ImportError as error:
        return str(error)
    except AttributeError:
        owner = resolve(full.rpartition(".")[0])
        known = isinstance(owner, types.ModuleType) or owner is veem.Tensor
        return lacking(full) if known else None
    return value._reason if isinstance(value, Refused) else None
