"""What of PyTorch veem refuses, and why. Using such a name raises NotImplementedError.

A name may end in *: all that begins so. Imports and isinstance() pass, as programs ask
for types that they will never meet.
"""

import fnmatch

SPARSE = "veem's tensors are dense; make a dense one, as x.to_dense() does in PyTorch"
COMPLEX = "veem has no complex numbers; keep real and imaginary parts in two tensors"
EXPORT = (
    "veem's models run in veem; torch.save(model.state_dict(), path) is read by both"
)
TRACING = "veem runs Python as it is, and traces no graphs of programs"
TRANSFORMS = (
    "veem differentiates with backward(), torch.autograd.grad and "
    "torch.autograd.functional, and has no transforms of functions"
)
PROCESSES = "veem has no communication between processes; run the program with one"
CUDA = "veem has no CUDA backend"
PROFILER = "veem has no profiler; Python's cProfile and time.perf_counter() see its ops"
FETCHING = "veem fetches no models or code; download the files, and torch.load them"
QUANTIZED = "veem has no quantized tensors; bfloat16 and float16 are its small dtypes"
INNER = "it is a part of PyTorch's inside, which veem does not have"
REASONS = {
    SPARSE: """
        torch.sparse_* torch.sparse.* torch.spmm torch.smm torch.dsmm torch.hspmm
        torch.sspaddmm torch.jagged torch.nested.* torch.Tensor.to_sparse
        torch.Tensor.to_sparse_* torch.Tensor.coalesce torch.Tensor.indices
        torch.Tensor.values torch.Tensor.sparse_* torch.Tensor.crow_indices
        torch.Tensor.col_indices torch.optim.SparseAdam torch.masked.*""",
    COMPLEX: """
        torch.complex torch.polar torch.angle torch.view_as_complex torch.view_as_real
        torch.complex32 torch.complex64 torch.complex128 torch.cfloat torch.cdouble
        torch.chalf torch.fft.* torch.stft torch.istft torch.linalg.eig
        torch.linalg.eigvals torch.Tensor.cfloat torch.Tensor.cdouble
        torch.Tensor.angle torch.Tensor.stft torch.Tensor.istft""",
    EXPORT: """
        torch.onnx.* torch.export.* torch.jit.* torch.package.*""",
    TRACING: "torch.fx.* torch.compiler.*",
    TRANSFORMS: "torch.vmap torch.func.* torch.autograd.forward_ad.*",
    PROCESSES: "torch.distributed.* torch.futures.*",
    CUDA: "torch.cuda.* torch.xpu.* torch.mtia.*",
    PROFILER: "torch.profiler.* torch.autograd.profiler.* torch.utils.bottleneck.*",
    FETCHING: "torch.hub.* torch.utils.model_zoo.*",
    QUANTIZED: """
        torch.quantization.* torch.ao.* torch.quantize_* torch.qint8 torch.quint8
        torch.qint32 torch.nn.quantized.* torch.nn.qat.* torch.nn.intrinsic.*
        torch.float8_* torch.Tensor.dequantize""",
    INNER: """
        torch._C torch._C.* torch._dynamo.* torch._inductor.* torch._functorch.*
        torch.ops.* torch.classes.* torch.library.* torch.overrides.*
        torch.utils.cpp_extension.* torch.utils._pytree.*""",
}


def reason_for(full):
    """Why a dotted name is refused, or None."""
    for reason, names in REASONS.items():
        if any(fnmatch.fnmatchcase(full, name) for name in names.split()):
            return reason
    return None


def refused_below(full):
    """Is it a module with refused names only, or one that they are in?"""
    names = (name for names in REASONS.values() for name in names.split())
    return any(name.startswith(full + ".") for name in names if name.endswith(".*"))


def refused_methods():
    """The refused methods of Tensor, with their reasons."""
    for reason, names in REASONS.items():
        for name in names.split():
            if name.startswith("torch.Tensor.") and not name.endswith("*"):
                yield name, reason


class Refused:
    """Stands for a name that veem refuses; says why when it is used."""

    def __init__(self, name, reason):
        self.__dict__.update(_name=name, _reason=reason, __name__=name)

    def _refuse(self, *args, **kwargs):
        raise NotImplementedError(f"{self._name}: {self._reason}")

    __call__ = __setattr__ = __getitem__ = __mro_entries__ = _refuse

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __instancecheck__(self, instance):
        return False

    __subclasscheck__ = __instancecheck__

    def __repr__(self):
        return f"<{self._name}, which veem refuses: {self._reason}>"
