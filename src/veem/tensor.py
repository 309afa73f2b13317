"""The tensor: a multi-dimensional array that knows how it was computed.

Its operators, fields and elementwise methods are native (see _core.Tensor and ops.py);
here is what reads better in Python.
"""

import builtins
import math
import numbers
import sys
import weakref

from veem import _core, autograd, creation, ops, storage
from veem.autograd.engine import RemovableHandle, tensor_hooks
from veem.device import device as Device
from veem.device import name_of, of_name
from veem.layout import check_format
from veem.printing import tensor_text


class Size(tuple):
    """The shape of a tensor."""

    def numel(self):
        """The number of elements."""
        return math.prod(self)

    def __repr__(self):
        return f"veem.Size({list(self)})"

    def __getitem__(self, i):
        item = super().__getitem__(i)
        return Size(item) if isinstance(i, slice) else item

    def __add__(self, other):
        return Size(super().__add__(tuple(other)))


_OLD_NAMES = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
}


def _sizes(sizes):
    """x.view(2, 3), x.view((2, 3)) and x.view(other.shape) are the same."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        return tuple(sizes[0])
    return sizes


def _op_that_asks():
    """The function of veem that called _wrap, for its error; x.size() for another."""
    name, frame = "size", sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").startswith("veem."):
        code, frame = frame.f_code, frame.f_back
        if code.co_filename != __file__ and code.co_name[0] != "<":  # no comprehension
            return code.co_name.lstrip("_")
    return name


class Tensor(_core.Tensor):
    """A multi-dimensional array of one dtype on one device."""

    __module__ = "veem"

    # ---- fields ---------------------------------------------------------------------

    @property
    def device(self):
        """Where the elements are."""
        return of_name(self._device_name)

    @property
    def is_cuda(self):
        return self._device_name.startswith("cuda")

    @property
    def itemsize(self):
        return self.dtype.itemsize

    @property
    def nbytes(self):
        return self.numel() * self.dtype.itemsize

    @property
    def T(self):
        """The dimensions reversed; for a matrix, its transpose."""
        return ops.permute(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self):
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise RuntimeError(
                f"mT: only matrices or batches of matrices, got {self.ndim}-d tensor"
            )
        return ops.transpose(self, -2, -1)

    @property
    def H(self):
        """A matrix transposed (of complex numbers: conjugated too)."""
        if self.ndim not in (0, 2):
            raise RuntimeError(f"H: only matrices, got {self.ndim}-d tensor; use .mH")
        return self.T

    @property
    def mH(self):
        """mT (of complex numbers: conjugated too)."""
        return self.mT

    def size(self, dim=None):
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[self._wrap(dim)]

    def stride(self, dim=None):
        """Elements from one index to the next, for each dimension or for one."""
        strides = tuple(self._strides())
        return strides if dim is None else strides[self._wrap(dim)]

    def element_size(self):
        return self.dtype.itemsize

    def _wrap(self, dim):
        n = builtins.max(self.ndim, 1)
        if not -n <= dim < n:
            raise IndexError(
                f"{_op_that_asks()}: Dimension out of range (expected to be in range "
                f"of [{-n}, {n - 1}], but got {dim}) for shape {list(self.shape)}"
            )
        return dim % n

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter([ops.select(self, 0, i) for i in range(len(self))])

    def __reversed__(self):
        return self.flip(0) if self.ndim else self

    def __contains__(self, element):
        if not isinstance(element, (Tensor, numbers.Number)):
            raise RuntimeError(
                "Tensor.__contains__ only supports Tensor or scalar, but you passed in "
                f"a {type(element)}"
            )
        equal = self == element  # False, not a tensor, for a complex number
        return equal is not False and equal.any().item()

    def __bytes__(self):
        """Bytes of these values, as of a list of them; of one value, so many zeros."""
        if self.dtype.is_floating_point or (self.ndim > 1 and self.numel() != 1):
            raise TypeError(
                "bytes() takes 1-d tensors of integers as values; "
                "memoryview(x).tobytes() gives the memory"
            )
        return bytes(self.item() if self.numel() == 1 else self.tolist())

    def __format__(self, spec):
        number = self.ndim == 0 and type(self) is Tensor
        return format(self.item(), spec) if number else object.__format__(self, spec)

    def __repr__(self, *, tensor_contents=None):
        name = "tensor" if type(self) is Tensor else type(self).__name__
        return tensor_text(self, name, tensor_contents)

    # ---- autograd -------------------------------------------------------------------

    def backward(
        self, gradient=None, retain_graph=None, create_graph=False, inputs=None
    ):
        """Adds the gradient of this tensor to the .grad of the leaves it came from."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def requires_grad_(self, requires_grad=True):
        """Sets requires_grad and returns the tensor."""
        self.requires_grad = requires_grad
        return self

    def detach_(self):
        """Cuts the tensor off from its history."""
        if self._base is not None:
            raise RuntimeError(
                "detach_: Can't detach views in-place. Use detach() instead"
            )
        self._set_history(None, 0)
        return self

    def register_hook(self, hook):
        """Calls hook(gradient) once that is known; it may return another."""
        if not self.requires_grad:
            raise RuntimeError(
                "cannot register a hook on a tensor that doesn't require gradient"
            )
        return RemovableHandle(tensor_hooks(self), hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Calls hook(tensor) after .grad of this leaf has been accumulated."""
        if self.grad_fn is not None:
            raise RuntimeError("post accumulate grad hooks are for leaf tensors only")
        return RemovableHandle(tensor_hooks(self, "accumulated"), hook)

    def retain_grad(self):
        """Has backward() keep .grad for this tensor, though it is no leaf."""
        if not self.requires_grad:
            raise RuntimeError(
                "can't retain_grad on Tensor that has requires_grad=False"
            )
        if self.grad_fn is None or self.__dict__.get("retains_grad"):
            return
        self.retains_grad = True
        weak = weakref.ref(self)

        def keep(g):
            me = weak()
            if me is not None:
                me.grad = g.detach() if me.grad is None else me.grad + g

        tensor_hooks(self)["retain_grad"] = keep

    # ---- other dtypes, devices, forms ----------------------------------------------

    def to(
        self,
        *args,
        dtype=None,
        device=None,
        non_blocking=False,
        copy=False,
        memory_format=None,
    ):
        """Another dtype or device: x.to(veem.float64), x.to("cpu"), x.to(other).

        copy: always a copy. non_blocking and memory_format change nothing.
        """
        check_format("to", memory_format)
        flags = []
        for arg in args:
            if isinstance(arg, _core.Tensor):
                dtype, device = arg.dtype, arg.device
            elif isinstance(arg, (str, Device)):
                device = arg
            elif isinstance(arg, _core.dtype) or arg in (float, int, bool):
                dtype = arg
            elif isinstance(arg, builtins.bool):
                flags.append(arg)
            elif arg is not None:
                raise TypeError(
                    f"to: expected a dtype, a device or a Tensor, got {arg!r}"
                )
        copy = flags[1] if len(flags) > 1 else copy  # after non_blocking
        place = self._device_name if device is None else name_of(device)
        out = self
        # Cast where the CPU is: a device may lack one of the two dtypes.
        if place != "cpu" and dtype is not None and out.dtype != dtype:
            out = ops.cast(out, dtype)
        if place != self._device_name:
            out = ops.to_device(out, place)
        if dtype is not None and out.dtype != dtype:
            out = ops.cast(out, dtype)
        return out.clone() if copy and out is self else out

    def type(self, dtype=None):
        """The old name of the type, "veem.FloatTensor"; or the tensor in a dtype."""
        place = "" if self._device_name == "cpu" else f"{self.device.type}."
        kind = _OLD_NAMES[self.dtype.name]
        return f"veem.{place}{kind}Tensor" if dtype is None else self.to(dtype)

    def type_as(self, other):
        return self.to(other.dtype)

    def float(self, memory_format=None):
        return self.to(_core.float32, memory_format=memory_format)

    def half(self, memory_format=None):
        return self.to(_core.float16, memory_format=memory_format)

    def bfloat16(self, memory_format=None):
        return self.to(_core.bfloat16, memory_format=memory_format)

    def double(self, memory_format=None):
        return self.to(_core.float64, memory_format=memory_format)

    def int(self, memory_format=None):
        return self.to(_core.int32, memory_format=memory_format)

    def char(self, memory_format=None):
        return self.to(_core.int8, memory_format=memory_format)

    def short(self, memory_format=None):
        return self.to(_core.int16, memory_format=memory_format)

    def long(self, memory_format=None):
        return self.to(_core.int64, memory_format=memory_format)

    def bool(self, memory_format=None):
        return self.to(_core.bool, memory_format=memory_format)

    def byte(self, memory_format=None):
        return self.to(_core.uint8, memory_format=memory_format)

    def cpu(self, memory_format=None):
        return self.to("cpu", memory_format=memory_format)

    def share_memory_(self):
        """Moves the elements, in all views of them, to memory that processes share.

        Processes that are forked, or get the tensor sent, see each other's changes.
        Arrays that numpy() gave before keep the old memory. CPU only.
        """
        _core.move_to_shared(self)
        return self

    def is_shared(self):
        """Whether the elements are where other processes may see them."""
        return _core.is_shared(self)

    # ---- filled like this one --------------------------------------------------------

    def new_empty(self, *size, dtype=None, device=None, requires_grad=False):
        """An uninitialised tensor of this dtype and device."""
        place = self._device_name if device is None else name_of(device)
        x = _core.empty(_sizes(size), dtype or self.dtype, place)
        return x.requires_grad_() if requires_grad else x

    def new_full(self, size, fill_value, **kwargs):
        return self.new_empty(size, **kwargs).fill_(fill_value)

    def new_zeros(self, *size, requires_grad=False, **kwargs):
        x = self.new_empty(*size, **kwargs).fill_(0)
        return x.requires_grad_() if requires_grad else x

    def new_ones(self, *size, requires_grad=False, **kwargs):
        x = self.new_empty(*size, **kwargs).fill_(1)
        return x.requires_grad_() if requires_grad else x

    def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
        """A copy of `data` in this dtype and device."""
        out = creation.tensor(data, dtype=dtype or self.dtype)
        out = out.to(self._device_name if device is None else name_of(device))
        return out.requires_grad_() if requires_grad else out

    def new_empty_strided(
        self, size, stride, dtype=None, device=None, requires_grad=False
    ):
        """empty_strided in this dtype and device."""
        return creation.empty_strided(
            size,
            stride,
            dtype=dtype or self.dtype,
            device=device or self.device,
            requires_grad=requires_grad,
        )

    # ---- copies ----------------------------------------------------------------------

    def untyped_storage(self):
        """The memory that this tensor shows a part of."""
        return storage.UntypedStorage.of(self)

    def __reduce_ex__(self, protocol):
        return storage.reduced(self)

    def __deepcopy__(self, memo):
        return storage.deepcopied(self, memo)


_core.register(Tensor, Size, autograd.Node)
