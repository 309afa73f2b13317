"""veem: deep learning small enough to read, from loss.backward() down to the kernel."""

import contextlib
import typing

from veem import (
    _core,
    autograd,
    creation,
    functions,
    indexing,
    linalg,
    ops,
    random,
    signal,
)
from veem._core import (
    __version__,
    bfloat16,
    bool,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    result_type,
    set_default_dtype,
    set_num_threads,
    uint8,
)
from veem._core import num_threads as get_num_threads
from veem.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from veem.creation import (
    arange,
    empty,
    empty_like,
    empty_permuted,
    empty_strided,
    eye,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    range,
    scalar_tensor,
    zeros,
    zeros_like,
)
from veem.device import device
from veem.dlpack import from_dlpack
from veem.from_data import as_tensor, asarray, from_numpy, frombuffer, tensor
from veem.layout import (
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from veem.limits import finfo, iinfo
from veem.printing import set_printoptions
from veem.random import (
    Generator,
    bernoulli,
    binomial,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    poisson,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from veem.storage import UntypedStorage
from veem.tensor import Size, Tensor

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64

globals().update(functions.names)
if typing.TYPE_CHECKING:  # those functions, for type checkers

    def __getattr__(name: str) -> typing.Any: ...


# These need the names above.
from veem import (  # noqa: E402
    distributions,
    func,
    metal,
    multiprocessing,
    nn,
    optim,
    serialization,
    special,
    testing,
    utils,
)
from veem.serialization import load, save  # noqa: E402

# Activations that are functions, and two of them methods, here too.
_names = "celu celu_ hardshrink prelu rrelu rrelu_ selu selu_ threshold threshold_"
globals().update({_name: getattr(nn.functional, _name) for _name in _names.split()})
for _name in ("hardshrink", "prelu"):
    setattr(Tensor, _name, getattr(nn.functional, _name))

with contextlib.suppress(ImportError):  # where einops is installed, it takes tensors
    from veem.utils import einops_backend
