"""What a tensor is: questions that cost nothing. There are no complex numbers here."""

from veem import _core
from veem.functions.registry import function, method, plain
from veem.layout import strided
from veem.tensor import Tensor


@plain
def is_tensor(obj):
    """Is it a tensor?"""
    return isinstance(obj, _core.Tensor)


@function
def is_floating_point(input):
    """Are its elements floats?"""
    return input.dtype.is_floating_point


@function
def is_complex(input):
    """Are its elements complex? Never."""
    return False


@function
def is_nonzero(input):
    """Is the one element not 0?"""
    if input.numel() != 1:
        raise RuntimeError(
            "is_nonzero: Boolean value of Tensor with "
            f"{'no values' if input.numel() == 0 else 'more than one value'} is "
            "ambiguous"
        )
    return bool(input)


@function
def is_same_size(input, other):
    """Have both one shape?"""
    return input.shape == other.shape


@method
def is_signed(self):
    """Can its elements be negative?"""
    return self.dtype.is_signed


@method
def is_set_to(self, tensor):
    """Are both the same elements of the same memory?"""
    same = lambda x: (x.data_ptr(), x.shape, x.stride(), x.dtype, x.device)
    return same(self) == same(tensor)


@method
def dim_order(self):
    """The dimensions from the one with the largest stride to that with the smallest."""
    strides = self.stride()
    return tuple(sorted(range(self.ndim), key=lambda d: -strides[d]))


@method
def ndimension(self):
    """The number of dimensions."""
    return self.ndim


def _itself(name):
    def f(input):
        """The tensor itself, as its numbers are not complex."""
        return input

    f.__name__ = name
    function(f)


for _name in ("real", "conj", "resolve_conj", "resolve_neg"):
    _itself(_name)
Tensor.real = property(Tensor.real)


@plain
def imag(input):
    """The imaginary part, which a tensor does not have."""
    raise RuntimeError(
        "imag is not implemented for tensors with non-complex dtypes, got "
        f"{input.dtype.name}"
    )


Tensor.imag = property(imag)
Tensor.is_conj = Tensor.is_neg = Tensor.is_pinned = is_complex
for _kind in """sparse sparse_csr mkldnn nested quantized meta xpu xla ipu maia mtia
        vulkan""".split():
    setattr(Tensor, f"is_{_kind}", False)  # kinds and devices that are not here


@method
def get_device(self):
    """The number of the GPU that the elements are on, -1 on the CPU."""
    return -1 if self._device_name == "cpu" else self.device.index or 0


@method
def pin_memory(self, device=None):
    """The tensor itself: to pin memory only speeds copies to other devices up."""
    return self


@method
def cuda(self, device=None, non_blocking=False, memory_format=None):
    """The tensor on an NVIDIA GPU, where there is one; else AssertionError."""
    return self.to(f"cuda:{device}" if isinstance(device, int) else device or "cuda")


Tensor.is_cpu = property(lambda self: self._device_name == "cpu")
Tensor.is_mps = property(lambda self: self.device.type in ("metal", "mps"))
Tensor.layout = property(lambda self: strided)
