"""What grad_fn is called: PyTorch's names, which end in the number of an overload.

A native op has its name by its row here, or by its own; a composite function, whose
last op stands for the whole, by `recorded_as`.
"""

import functools
import inspect

from veem import _core


def recorded_as(name):
    """A decorator of composites: their results print grad_fn=<name>.

    name: a text, its "Backward0" left out, or a function of the result and of those
    arguments that it has parameters of the same names for.
    """

    def decorate(f):
        given = callable(name) and _arguments(f, name)
        inplace = f.__name__.endswith("_")

        @functools.wraps(f)
        def call(*args, **kwargs):
            result = f(*args, **kwargs)
            for x in result if isinstance(result, (tuple, list)) else (result,):
                node = x.grad_fn if isinstance(x, _core.Tensor) else None
                if node is not None and _made_here(x, args, inplace):
                    node.label = name(x, *given(args, kwargs)) if given else name
            return result

        return call

    return decorate


def _made_here(x, args, inplace):
    """Does x come from this call, or was it there before?"""
    if inplace:
        return _core.is_grad_enabled()
    for a in args:
        if a is x:
            return False
    return True


def _arguments(f, choose):
    """Picks what choose asks for from a call of f, by place or by name."""
    names = list(inspect.signature(choose).parameters)[1:]
    parameters = inspect.signature(f).parameters
    places = [(n, list(parameters).index(n), parameters[n].default) for n in names]

    def pick(args, kwargs):
        return [
            args[i] if i < len(args) else kwargs.get(n, default)
            for n, i, default in places
        ]

    return pick


def labelled(x, name):
    """x, the new result of a composite: its grad_fn prints as that."""
    if x.grad_fn is not None:
        x.grad_fn.label = name
    return x


def whole(name, number=1):
    """For recorded_as: this number of a whole tensor, the other along a dimension."""

    def of(_out, dim):
        this = number if dim is None else 1 - number
        return None if _is_tensor(dim) else f"{name}Backward{this}"

    return of


def name_of(node):
    """A node's name."""
    label = getattr(node, "label", None)
    if label is None:
        label = _ROWS.get(node.op.__name__.rstrip("_"), _camel(node.op.__name__))
    label = label if isinstance(label, str) else label(*node.inputs)
    whole = "Backward" in label or label == "CopySlices"
    return label if whole else label + "Backward0"


def _keep(node):
    node.label = name_of(node)


def attach():
    """Has names that follow from arguments kept before these are freed."""
    for name, op in vars(_core.ops).items():
        if callable(_ROWS.get(name.rstrip("_"))):
            op.namer = _keep


def _camel(name):
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


_FLASH = "ScaledDotProductFlashAttentionForCpu"


def _is_tensor(x):
    return isinstance(x, _core.Tensor)


def _over(name):
    """Number 0 for a whole reduction, 1 along dimensions."""
    return lambda _x, dims, *_: f"{name}Backward{int(dims is not None)}"


def _numbered(name, argument, of_tensors=1, of_numbers=0):
    """A number for each kind that the argument may be of."""

    def choose(*args):
        number = of_tensors if _is_tensor(args[argument]) else of_numbers
        return f"{name}Backward{number}"

    return choose


def _spatial(*names):
    """By the number of spatial dimensions, which a parameter has one entry for."""
    return lambda _x, size, *_: names[len(size) - 1]


def _pow(a, b):
    return f"PowBackward{2 - int(_is_tensor(a)) if _is_tensor(b) else 0}"


def _products(a, b):
    names = {(1, 1): "Dot", (2, 1): "Mv", (1, 2): "SqueezeBackward4", (2, 2): "Mm"}
    return names.get((a.ndim, b.ndim), "UnsafeView")


def _linear(x, _w, bias, *_):
    if x.ndim == 2:
        return "Mm" if bias is None else "Addmm"
    if bias is not None:
        return "View"
    return "SqueezeBackward4" if x.ndim == 1 else "UnsafeView"


def _getitem(_x, index):
    """By the last step of several: PyTorch takes a subscript item by item."""
    if isinstance(index, slice):
        return "Slice"
    items = index if isinstance(index, tuple) else (index,)
    for item in reversed(items):
        if item is None:
            return "Unsqueeze"
        if isinstance(item, slice) and item != slice(None):
            return "Slice"
        if item is not ... and not isinstance(item, slice):
            return "Select"
    return "Alias"


def _squeeze(_x, dims):
    return "Squeeze" if dims is None else f"SqueezeBackward{min(len(dims), 2)}"


def _clamp(_x, *ends):
    return f"ClampBackward{int(not any(map(_is_tensor, ends)))}"


_ROWS = {
    "adaptive_avg_pool": _spatial(
        "SqueezeBackward1", "AdaptiveAvgPool2D", "AdaptiveAvgPool3D"
    ),
    "adaptive_max_pool": _spatial(
        "SqueezeBackward1", "AdaptiveMaxPool2D", "AdaptiveMaxPool3D"
    ),
    "attention": lambda q, *_: _FLASH if q.ndim == 4 else "UnsafeView",
    "avg_pool": _spatial("SqueezeBackward1", "AvgPool2D", "AvgPool3D"),
    "cast": "ToCopy",
    "clamp": _clamp,
    "contiguous": "Clone",
    "conv_transpose": "Convolution",
    "copy_from": "CopyBackwards",
    "copysign": _numbered("Copysign", 1, 0, 1),
    "cross_entropy": "NllLoss",
    "diagonal_backward": "DiagEmbed",
    "div": lambda a, _b: "Div" if _is_tensor(a) else "Mul",  # 1 / x is a reciprocal
    "fill": _numbered("Fill", 1, 3, 2),
    "floor_divide": "DivBackward2",
    "fmod": _numbered("Fmod", 1),
    "fold_windows": "Col2Im",
    "gelu_tanh": "Gelu",
    "getitem": _getitem,
    "layer_norm": "NativeLayerNorm",
    "leaky_relu": lambda _x, slope: "PreluKernel" if _is_tensor(slope) else "LeakyRelu",
    "lerp": _numbered("Lerp", 2),
    "linear": _linear,
    "linear_activation": lambda *args: _camel(args[-1].removesuffix("_tanh")),
    "log1p": "Log1P",
    "matmul": _products,
    "max_dim": "Max",
    "max_pool": _spatial(
        "SqueezeBackward1", "MaxPool2DWithIndices", "MaxPool3DWithIndices"
    ),
    "mean": _over("Mean"),
    "min_dim": "Min",
    "pow": _pow,
    "prod": _over("Prod"),
    "remainder": _numbered("Remainder", 1),
    "scatter": _numbered("Scatter", 3, 0, 1),
    "selu": "Elu",
    "setitem": "CopySlices",
    "square": "Pow",
    "squeeze": _squeeze,
    "sub": lambda a, _b: "Sub" if _is_tensor(a) else "RsubBackward1",
    "sum": _over("Sum"),
    "to_device": "ToCopy",
    "trunc_divide": "DivBackward2",
    "unfold_windows": "Im2Col",
    "xlog1py": "SpecialXlog1Py",
}
