"""Derivatives of functions of tensors: Jacobians, Hessians and their products.

func takes one tensor or several (inputs is then a tuple) and returns one or several.
Results are tensors where inputs or outputs are one tensor, else tuples. With
create_graph they can be differentiated again. strict: an output that does not depend
on an input is an error instead of zeros.
"""

from veem import _core
from veem.autograd.backward import grad
from veem.autograd.grad_mode import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _as_tuple(x, what, name):
    xs = x if isinstance(x, tuple) else (x,)
    for t in xs:
        if not isinstance(t, _core.Tensor):
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of "
                f"Tensors but got {type(t).__name__}"
            )
    return xs


def _pack(values, like):
    return tuple(values) if isinstance(like, tuple) else values[0]


def _result(values, like, create_graph):
    return _pack([v if create_graph else v.detach() for v in values], like)


def _inputs(inputs, create_graph, name):
    """The inputs as tensors to differentiate by; with create_graph, not cut off."""
    prepare = (lambda x: x.view_as(x)) if create_graph else (lambda x: x.detach())
    made = [prepare(x) for x in _as_tuple(inputs, "inputs", name)]
    return tuple(x if x.requires_grad else x.requires_grad_() for x in made)


def _grads(outputs, inputs, v, create_graph, strict, name):
    """The gradients; zeros (or, if strict, an error) where there is no dependence."""
    pairs = [(o, vi) for o, vi in zip(outputs, v) if o.requires_grad]
    found = [None] * len(inputs)
    if pairs:
        outs, vs = zip(*pairs)
        found = grad(
            outs, inputs, vs, True, create_graph=create_graph, allow_unused=True
        )
    for i, g in enumerate(found):
        if strict and (g is None or (create_graph and not g.requires_grad)):
            raise RuntimeError(
                f"{name}: the output is independent of input {i}, which strict=True "
                "does not allow"
            )
    return [x.new_zeros(x.shape) if g is None else g for g, x in zip(found, inputs)]


def _vector(v, like, name, what):
    """v, checked against what it multiplies; 1 for a single number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"{name}: the vector v can only be None if the {what} is a single "
                "Tensor with a single element"
            )
        return (like[0].new_ones(like[0].shape),)
    vs = _as_tuple(v, "v", name)
    if [x.shape for x in vs] != [x.shape for x in like]:
        raise RuntimeError(
            f"{name}: v has the shapes {[list(x.shape) for x in vs]}; those of the "
            f"{what} are {[list(x.shape) for x in like]}"
        )
    return vs


def _single(outputs, name):
    if len(outputs) != 1 or outputs[0].numel() != 1:
        raise RuntimeError(
            f"The function given to {name} should return a single Tensor with a single "
            f"element, got shapes {[list(o.shape) for o in outputs]}"
        )


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), vᵀ J), with the Jacobian J. v: shaped as the output."""
    with enable_grad():
        xs = _inputs(inputs, create_graph, "vjp")
        out = func(*xs)
        outs = _as_tuple(out, "outputs", "vjp")
        vs = _vector(v, outs, "vjp", "output")
        found = _grads(outs, xs, vs, create_graph, strict, "vjp")
    return _result(outs, out, create_graph), _result(found, inputs, create_graph)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), J v), by differentiating vᵀ J by v. v: shaped as the inputs."""
    with enable_grad():
        xs = _inputs(inputs, create_graph, "jvp")
        vs = _vector(v, xs, "jvp", "input")
        out = func(*xs)
        outs = _as_tuple(out, "outputs", "jvp")
        dual = tuple(o.new_zeros(o.shape).requires_grad_() for o in outs)
        along = _grads(outs, xs, dual, True, strict, "jvp")
        found = _grads(along, dual, vs, create_graph, False, "jvp")
    return _result(outs, out, create_graph), _result(found, out, create_graph)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), vᵀ H) for a func of one number, with its Hessian H."""
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), H v). H is symmetric: this is vhp."""
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(name, func, inputs, v, create_graph, strict):
    with enable_grad():
        xs = _inputs(inputs, create_graph, name)
        vs = _vector(v, xs, name, "input")
        out = func(*xs)
        outs = _as_tuple(out, "outputs", name)
        _single(outs, name)
        ones = (outs[0].new_ones(outs[0].shape),)
        slope = _grads(outs, xs, ones, True, strict, name)
        found = _grads(slope, xs, vs, create_graph, strict, name)
    return _result(outs, out, create_graph), _result(found, inputs, create_graph)


def jacobian(
    func,
    inputs,
    create_graph=False,
    strict=False,
    vectorize=False,
    strategy="reverse-mode",
):
    """The derivatives of each output by each input: (*output.shape, *input.shape).

    One walk back per output element. vectorize changes no result and nothing here;
    strategy "forward-mode" is computed by these same walks.
    """
    with enable_grad():
        xs = _inputs(inputs, create_graph, "jacobian")
        out = func(*xs)
        outs = _as_tuple(out, "outputs", "jacobian")
        rows = [_rows(o, xs, create_graph, strict) for o in outs]
    return _pack([_result(row, inputs, create_graph) for row in rows], out)


def _rows(out, xs, create_graph, strict):
    """The derivatives of one output by each input."""
    each = []
    for i in range(out.numel()):
        v = out.new_zeros(out.numel())
        v[i] = 1
        v = (v.reshape(out.shape),)
        each.append(_grads((out,), xs, v, create_graph, strict, "jacobian"))
    return [_stacked([row[k] for row in each], out, x) for k, x in enumerate(xs)]


def _stacked(rows, out, x):
    shape = (*out.shape, *x.shape)
    if not rows:
        return x.new_zeros(shape)
    return _core.ops.cat(0, *(r.reshape(1, *x.shape) for r in rows)).reshape(shape)


def hessian(
    func,
    inputs,
    create_graph=False,
    strict=False,
    vectorize=False,
    outer_jacobian_strategy="reverse-mode",
):
    """The second derivatives of a func of one number: (*input_i.shape, *input_j.shape).

    For several inputs a tuple of tuples.
    """

    def slope(*xs):
        return jacobian(summed, xs if isinstance(inputs, tuple) else xs[0], True)

    def summed(*xs):
        out = func(*xs)
        _single(_as_tuple(out, "outputs", "hessian"), "hessian")
        return out.reshape(())

    return jacobian(slope, inputs, create_graph, strict)
