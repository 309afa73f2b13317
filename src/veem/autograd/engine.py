"""The tape and the walk back along it.

Every op that touches a tensor with ``requires_grad`` leaves a `Node` on its output:
which op ran, what its gradient rules want to see again, and where the gradients of its
inputs go. Nodes are numbered as they are made, so a node's number is above those of all
it was made from. The walk keeps the nodes that have a gradient in a heap and always
takes the highest number: whatever could still add to that node's gradient has then
been done.
"""

import heapq
import itertools
import threading

from veem import _core
from veem.autograd import anomaly
from veem.autograd.names import name_of


class Node(_core.Node):
    """One recorded call of an op.

    ``inputs`` are the call's arguments as the gradient rules get them: tensors that no
    rule reads are hollow (a shape without data). ``edges`` has, for each argument that
    requires grad, ``(target, output_nr)``: the node that made it, or the leaf itself.
    ``versions`` of the saved values (the output's last) show changes made since.
    """

    __slots__ = ("label",)  # the name of a composite, of which this is the last op

    def name(self):
        """As PyTorch calls it: MulBackward0."""
        return name_of(self)

    def __repr__(self):
        return f"<{self.name()} object at {id(self):#x}>"

    @property
    def next_functions(self):
        """(node, output_nr) for each tensor among the arguments; without grad: None."""
        return tuple(
            (None, 0) if edge is None else (_as_node(edge[0]), edge[1])
            for edge, x in zip(self.edges, self.inputs or self.edges)
            if edge is not None or isinstance(x, _core.Tensor)
        )

    def register_hook(self, hook):
        """Calls hook(gradients of inputs, gradients of outputs) after the rules."""
        if self.hooks is None:
            self.hooks = {}
        return RemovableHandle(self.hooks, hook)

    def register_prehook(self, hook):
        """Calls hook(gradients of outputs) before the rules; it may return others."""
        if self.tensor_hooks is None:
            self.tensor_hooks = {}
        return RemovableHandle(self.tensor_hooks.setdefault("node", {}), hook)

    def _take_retain_grad(self, nr, old, old_nr):
        """A tensor that was changed in place keeps what retain_grad() asked for."""
        keep = old.tensor_hooks.get(old_nr, {}).pop("retain_grad", None)
        if keep is not None:
            self.tensor_hooks = self.tensor_hooks or {}
            self.tensor_hooks.setdefault(nr, {})["retain_grad"] = keep

    def _raise_freed(self):
        raise RuntimeError(
            f"{self.name()}: trying to backward through the graph a second time, but "
            "the values saved for it have been freed; call backward with "
            "retain_graph=True the first time"
        )

    def _raise_changed(self):
        saved = (*self.inputs, self.out)
        for i, (value, version) in enumerate(zip(saved, self.versions)):
            if version is None or value._version == version:
                continue
            what = "its output" if i == len(self.inputs) else f"its argument {i + 1}"
            raise RuntimeError(
                "one of the variables needed for gradient computation has been "
                f"modified by an inplace operation: {self.op.__name__} saved "
                f"{what}, of shape {list(value.shape)}, at version {version}; it is "
                f"at version {value._version} now; change a clone() instead"
                f"{changed_at(self, value)}"
            )


def changed_at(node, value):
    """The two lines of an in-place conflict, for its message."""
    if node.made_at is None or value._changed_at is None:
        return "; veem.autograd.set_detect_anomaly(True) shows the two lines"
    return f"\nsaved by   {node.made_at}\nchanged by {value._changed_at}, or before"


class AccumulateGrad:
    """The end of the tape at a leaf, as next_functions shows it."""

    def __init__(self, variable):
        self.variable = variable
        self.next_functions = ()

    def name(self):
        return "AccumulateGrad"

    def __eq__(self, other):
        return isinstance(other, AccumulateGrad) and self.variable is other.variable

    def __hash__(self):
        return hash(self.variable)

    def __repr__(self):
        return f"<AccumulateGrad object at {id(self.variable):#x}>"


def _as_node(target):
    return target if isinstance(target, Node) else AccumulateGrad(target)


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


def tensor_hooks(tensor, kind="gradient"):
    """The dict of hooks that run on this tensor's gradient, made on first use.

    Those of a leaf of kind "accumulated" run after its .grad has been updated.
    """
    node = tensor.grad_fn
    if node is None:
        if tensor._hooks is None:
            tensor._hooks = {"gradient": {}, "accumulated": {}}
        return tensor._hooks[kind]
    if node.tensor_hooks is None:
        node.tensor_hooks = {}
    return node.tensor_hooks.setdefault(tensor.output_nr, {})


def _run_hooks(hooks, g):
    for hook in list(hooks.values()):
        changed = hook(g)
        if changed is None:
            continue
        if not isinstance(changed, _core.Tensor):
            raise TypeError(
                f"expected Tensor, but hook returned '{type(changed).__name__}'"
            )
        if changed.shape != g.shape:
            raise RuntimeError(
                "a hook has changed the size of the gradient from "
                f"{list(g.shape)} to {list(changed.shape)}"
            )
        g = changed
    return g


def _run_prehooks(hooks, g):
    for hook in list(hooks.values()):
        changed = hook(tuple(g) if type(g) is list else (g,))
        if changed is not None:
            g = list(changed) if type(g) is list else changed[0]
    return g


def _run_tensor_hooks(node, g):
    for nr, hooks in node.tensor_hooks.items():
        if nr == "node":
            g = _run_prehooks(hooks, g)
        elif type(g) is not list:
            g = _run_hooks(hooks, g)
        elif g[nr] is not None:
            g[nr] = _run_hooks(hooks, g[nr])
    return g


def _run_node_hooks(node, grads, g):
    fitted = tuple(
        gi if gi is None or edge is None else fit(gi, x)
        for gi, edge, x in zip(grads, node.edges, node.inputs)
    )
    for hook in list(node.hooks.values()):
        changed = hook(fitted, tuple(g) if type(g) is list else (g,))
        fitted = fitted if changed is None else changed
    return fitted


def fit(g, x):
    """A gradient in the shape and dtype of x: what broadcasting repeated is summed.

    A number of the CPU that took part in a device's op gets its gradient back there.
    """
    if g.shape != x.shape:
        g = g.sum_to_size(x.shape)
    return g.to(device=x._device_name, dtype=x.dtype)


def _target(tensor):
    return tensor if tensor.grad_fn is None else tensor.grad_fn


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


class _Pending:
    """Gradients that wait for their node's turn, and the heap that decides it."""

    __slots__ = ("grads", "heap")

    def __init__(self):
        self.grads = {}  # node or leaf -> gradient; for many outputs a list of them
        self.heap = []

    def send(self, edge, g):
        """Adds g to what has come for a target so far."""
        target, output_nr = edge
        grads = self.grads
        many = isinstance(target, Node) and type(target.out) is tuple
        if target in grads:
            if many:
                slots = grads[target]
                old = slots[output_nr]
                slots[output_nr] = g if old is None else old + g
            else:
                grads[target] = grads[target] + g
            return
        if many:
            slots = [None] * len(target.out)
            slots[output_nr] = g
            g = slots
        grads[target] = g
        if isinstance(target, Node):
            heapq.heappush(self.heap, target)


def walk_back(roots, grads, retain_graph, create_graph, inputs=None):
    """Sends the gradients of the roots back to the leaves, or to `inputs` alone.

    Returns a dict from leaf (or (node, output_nr) of an input) to its gradient.
    """
    useful = wanted = None
    if inputs is not None:
        wanted = {_target(x) for x in inputs}
        useful = _useful([_target(r) for r in roots], wanted)
    found = {}
    pending = _Pending()
    heap, matches = pending.heap, _core.matches
    mode, watched = _core.is_grad_enabled(), anomaly.is_anomaly_enabled()
    _core.set_grad_enabled(create_graph)
    try:
        for root, g in zip(roots, grads):
            pending.send((_target(root), root.output_nr), g)
        while heap:
            node = heapq.heappop(heap)
            g = pending.grads.pop(node)
            if node.tensor_hooks is not None:
                g = _run_tensor_hooks(node, g)
            if wanted is not None:
                if node in wanted:
                    for nr, gi in enumerate(g if type(g) is list else [g]):
                        found[node, nr] = gi
                if node not in useful:
                    continue
            if watched:
                sent = anomaly.run(node, g, create_graph)
            else:
                sent = node.backward(g, create_graph)
            if node.hooks is not None:
                sent = _run_node_hooks(node, sent, g)
            for edge, gi, x in zip(node.edges, sent, node.inputs):
                if edge is not None and gi is not None:
                    pending.send(edge, gi if matches(gi, x) else fit(gi, x))
            if not retain_graph:
                node.release()
        for leaf, g in pending.grads.items():
            if wanted is None or leaf in wanted:
                hooks = leaf._hooks
                found[leaf] = g if hooks is None else _run_hooks(hooks["gradient"], g)
    finally:
        _core.set_grad_enabled(mode)
    return found


_accumulating = threading.RLock()  # several threads may walk back to the same leaves


def accumulate(found, shared, create_graph):
    """Adds gradients to the .grad of leaves. `shared` are tensors that others hold."""
    with _accumulating:
        _accumulate(found, shared, create_graph)


def _accumulate(found, shared, create_graph):
    seen = {id(g) for g in shared}
    for leaf, g in found.items():
        old = leaf.grad
        if old is None:
            # Rules pass gradients on unchanged, so two leaves can get one and the same.
            mine = id(g) not in seen and g._base is None and g.is_contiguous()
            seen.add(id(g))
            leaf.grad = g if mine else g.clone()
        elif create_graph:
            leaf.grad = old + g
        else:
            mode = _core.is_grad_enabled()
            _core.set_grad_enabled(False)
            _core.ops.add_(old, g)
            _core.set_grad_enabled(mode)
        if leaf._hooks is not None:
            for hook in list(leaf._hooks["accumulated"].values()):
                hook(leaf)
