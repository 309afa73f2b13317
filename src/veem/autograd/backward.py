"""The two doors to the engine: backward() fills .grad, grad() returns gradients."""

import warnings

from veem.autograd.engine import accumulate, walk_back


def _as_list(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _root_grads(roots, grads, what):
    """Checks the roots and makes the implicit gradient of a scalar."""
    grads = [None] * len(roots) if grads is None else _as_list(grads)
    if len(grads) != len(roots):
        raise RuntimeError(
            f"{what}: got {len(roots)} tensors and {len(grads)} gradients; give one "
            "gradient (or None for a scalar) for each tensor"
        )
    out = []
    for root, g in zip(roots, grads):
        if not root.requires_grad:
            raise RuntimeError(
                f"{what}: the tensor of shape {list(root.shape)} does not require grad "
                "and does not have a grad_fn; was it made under no_grad or from "
                "tensors without requires_grad=True?"
            )
        if g is None:
            if root.numel() != 1:
                raise RuntimeError(
                    f"{what}: grad can be implicitly created only for scalar outputs, "
                    f"not for shape {list(root.shape)}; pass gradient= or reduce it "
                    "first, e.g. .sum()"
                )
            g = root.new_ones(root.shape)
        elif g.shape != root.shape:
            raise RuntimeError(
                f"{what}: mismatch in shape: the gradient has {list(g.shape)} and the "
                f"tensor {list(root.shape)}"
            )
        out.append(g)
    return out


def backward(
    tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None
):
    """Adds d(sum of tensors * grad_tensors)/d(leaf) to the .grad of every leaf.

    tensors: one or several; a scalar needs no gradient. retain_graph keeps the saved
    values for another backward (default: create_graph). create_graph records the
    gradients themselves. inputs: leaves to fill, default all.
    """
    roots = _as_list(tensors)
    grads = _root_grads(roots, grad_tensors, "backward")
    inputs = None if inputs is None else _as_list(inputs)
    keep = create_graph if retain_graph is None else retain_graph
    found = walk_back(roots, grads, keep, create_graph, inputs)
    if inputs is not None:
        targets = {_key(x): x for x in inputs}
        found = {targets[k]: g for k, g in found.items() if k in targets}
    accumulate(found, grads, create_graph)


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    only_inputs=True,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """The gradients of the outputs' sum with respect to each input, as a tuple.

    Leaves .grad alone. An input that the outputs do not depend on is an error unless
    allow_unused (then its gradient is None, or zeros with materialize_grads).
    only_inputs is of PyTorch's past; is_grads_batched is refused.
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True); "
            "to accumulate gradients of other leaves use backward()",
            FutureWarning,
            stacklevel=2,
        )
    if is_grads_batched:
        raise NotImplementedError(
            "grad: is_grads_batched=True needs vmap, which veem has not; call grad() "
            "for each row of grad_outputs"
        )
    roots, inputs = _as_list(outputs), _as_list(inputs)
    for x in inputs:
        if not x.requires_grad:
            raise RuntimeError(
                "grad: one of the differentiated Tensors does not require grad; make "
                "it with requires_grad=True"
            )
    grads = _root_grads(roots, grad_outputs, "grad")
    keep = create_graph if retain_graph is None else retain_graph
    found = walk_back(roots, grads, keep, create_graph, inputs)
    return tuple(
        _pick(found, x, allow_unused or materialize_grads, materialize_grads)
        for x in inputs
    )


def _key(x):
    return x if x.grad_fn is None else (x.grad_fn, x.output_nr)


def _pick(found, x, allow_unused, materialize):
    g = found.get(_key(x))
    if g is None and not allow_unused:
        raise RuntimeError(
            f"grad: the input of shape {list(x.shape)} appears to not have been used "
            "in the graph; set allow_unused=True if this is the desired behavior"
        )
    return x.new_zeros(x.shape) if g is None and materialize else g
