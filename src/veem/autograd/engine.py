"""The tape and the walk back along it.

Every op that touches a tensor with ``requires_grad`` leaves a `Node` on its output: which
op ran, what its gradient rules want to see again, and where the gradients of its inputs
go. Nodes are numbered as they are made, so a node's number is above those of all it was
made from. The walk keeps the nodes that have a gradient in a heap and always takes the
highest number: whatever could still add to that node's gradient has then been done.
"""

import heapq
import itertools

from veem import _core
from veem.autograd.grad_mode import set_grad_enabled

_numbers = itertools.count(1)


class Node:
    """One recorded call of an op.

    ``inputs`` are the call's arguments as the gradient rules get them: tensors that no
    rule reads are hollow (a shape without data). ``edges`` has, for each argument that
    requires grad, ``(target, output_nr)``: the node that made it, or the leaf itself.
    ``versions`` of the saved values (the output's last) show changes made since.
    """

    __slots__ = (
        "__weakref__", "edges", "hooks", "inputs", "number", "op", "out",
        "tensor_hooks", "versions",
    )  # fmt: skip

    def __init__(self, op, inputs, edges, versions, out):
        self.op = op
        self.inputs = inputs
        self.edges = edges
        self.versions = versions
        self.out = out
        self.number = next(_numbers)
        self.hooks = self.tensor_hooks = None

    def name(self):
        """As PyTorch prints it: MulBackward0."""
        words = self.op.__name__.rstrip("_").split("_")
        return "".join(w[:1].upper() + w[1:] for w in words) + "Backward0"

    def __repr__(self):
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self):
        """(node, output_nr) for each argument that requires grad."""
        return tuple(e for e in self.edges if e is not None)

    def register_hook(self, hook):
        """Calls hook(gradients of the inputs, gradients of the outputs) after the rules."""
        if self.hooks is None:
            self.hooks = {}
        return RemovableHandle(self.hooks, hook)

    def backward(self, g, create_graph):
        """The gradient for each edge; None where nothing flows."""
        if self.inputs is None:
            raise RuntimeError(
                f"{self.name()}: trying to backward through the graph a second time, but "
                "the values saved for it have been freed; call backward with "
                "retain_graph=True the first time"
            )
        if self.versions is not None:
            self._check_versions()
        out = _core.rewrap(self.out, self) if create_graph else self.out
        rules = self.op.rules
        if type(rules) is not tuple:
            return rules(g, out, *self.inputs)
        return [
            None if edge is None else rule(g, out, *self.inputs)
            for edge, rule in zip(self.edges, rules)
        ]

    def _check_versions(self):
        saved = (*self.inputs, self.out)
        for i, (value, version) in enumerate(zip(saved, self.versions)):
            if version is None or value._version == version:
                continue
            what = "its output" if i == len(self.inputs) else f"its argument {i + 1}"
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified "
                f"by an inplace operation: {self.op.__name__} saved {what}, of shape "
                f"{list(value.shape)}, at version {version}, and it is at version "
                f"{value._version} now; change a clone() instead"
            )

    def release(self):
        """Frees what was saved. Nodes that saved nothing can be walked again."""
        if self.versions is not None:
            self.inputs = self.out = None


class RemovableHandle:
    """Returned by every register_*hook; ``remove()`` takes the hook away again."""

    _ids = itertools.count()

    def __init__(self, hooks, hook):
        self.id = next(self._ids)
        self._hooks = hooks
        hooks[self.id] = hook

    def remove(self):
        self._hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def tensor_hooks(tensor):
    """The dict of hooks that run on this tensor's gradient, made on first use."""
    node = tensor.grad_fn
    if node is None:
        return tensor.__dict__.setdefault("_backward_hooks", {})
    if node.tensor_hooks is None:
        node.tensor_hooks = {}
    return node.tensor_hooks.setdefault(tensor.output_nr, {})


def _run_hooks(hooks, g):
    for hook in list(hooks.values()):
        changed = hook(g)
        if changed is not None:
            g = changed
    return g


class _Walk:
    """One backward pass: the gradients that are known so far, and which node is next."""

    def __init__(self, create_graph):
        self.create_graph = create_graph
        self.pending = {}  # node or leaf -> its gradient; a list of them for many outputs
        self.heap = []

    def send(self, target, output_nr, g):
        pending = self.pending
        is_node = isinstance(target, Node)
        if target not in pending:
            if is_node:
                heapq.heappush(self.heap, (-target.number, target))
                if type(target.out) is tuple:
                    pending[target] = [None] * len(target.out)
        if is_node and type(target.out) is tuple:
            slots = pending[target]
            old = slots[output_nr]
            slots[output_nr] = g if old is None else old + g
        else:
            old = pending.get(target)
            pending[target] = g if old is None else old + g

    def next(self):
        """The next node and its gradient, after the hooks on the tensors it made."""
        node = heapq.heappop(self.heap)[1]
        g = self.pending.pop(node)
        for nr, hooks in (node.tensor_hooks or {}).items():
            if type(g) is not list:
                g = _run_hooks(hooks, g)
            elif g[nr] is not None:
                g[nr] = _run_hooks(hooks, g[nr])
        return node, g

    def step(self, node, g):
        """Runs a node's rules and sends the results on."""
        grads = node.backward(g, self.create_graph)
        fitted = [
            gi if gi is None or edge is None or _core.matches(gi, x) else fit(gi, x)
            for gi, edge, x in zip(grads, node.edges, node.inputs)
        ]
        for hook in list((node.hooks or {}).values()):
            changed = hook(tuple(fitted), tuple(g) if type(g) is list else (g,))
            fitted = fitted if changed is None else changed
        for edge, gi in zip(node.edges, fitted):
            if edge is not None and gi is not None:
                self.send(*edge, gi)


def fit(g, x):
    """A gradient in the shape and dtype of x: what broadcasting repeated is summed."""
    if g.shape != x.shape:
        g = g.sum_to_size(x.shape)
    return g if g.dtype == x.dtype else _core.ops.cast(g, x.dtype)


def _useful(roots, targets):
    """The nodes through which a gradient reaches one of the targets."""
    seen, stack = set(), [t for t in roots if isinstance(t, Node)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        stack.extend(e[0] for e in node.edges if e and isinstance(e[0], Node))
    useful = set()
    for node in sorted(seen, key=lambda n: n.number):
        if any(e and (e[0] in targets or e[0] in useful) for e in node.edges):
            useful.add(node)
    return useful


def _target(tensor):
    return tensor if tensor.grad_fn is None else tensor.grad_fn


def walk_back(roots, grads, retain_graph, create_graph, inputs=None):
    """Sends the gradients of the roots back to the leaves, or to `inputs` alone.

    Returns a dict from leaf (or (node, output_nr) of an input) to its gradient.
    """
    walk = _Walk(create_graph)
    useful = wanted = None
    if inputs is not None:
        wanted = {_target(x) for x in inputs}
        useful = _useful([_target(r) for r in roots], wanted)
    found = {}
    with set_grad_enabled(create_graph):
        for root, g in zip(roots, grads):
            walk.send(_target(root), root.output_nr, g)
        while walk.heap:
            node, g = walk.next()
            if wanted is not None and node in wanted:
                for nr, gi in enumerate(g if type(g) is list else [g]):
                    found[node, nr] = gi
            if useful is None or node in useful:
                walk.step(node, g)
                if not retain_graph:
                    node.release()
        for leaf, g in walk.pending.items():
            if wanted is None or leaf in wanted:
                found[leaf] = _run_hooks(leaf.__dict__.get("_backward_hooks", {}), g)
    return found


def accumulate(found, shared, create_graph):
    """Adds gradients to the .grad of leaves. `shared` are tensors that others hold."""
    seen = {id(g) for g in shared}
    for leaf, g in found.items():
        if leaf.grad is not None:
            with set_grad_enabled(create_graph):
                if create_graph:
                    leaf.grad = leaf.grad + g
                else:
                    leaf.grad.add_(g)
        else:
            # Rules pass gradients on unchanged, so two leaves can get one and the same.
            mine = id(g) not in seen and g._base is None and g.is_contiguous()
            seen.add(id(g))
            leaf.grad = g if mine else g.clone()
        for hook in list(leaf.__dict__.get("_post_accumulate_hooks", {}).values()):
            hook(leaf)
