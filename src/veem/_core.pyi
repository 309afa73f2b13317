"""veem's compiled core. Written by tools/stubs.py: run `make stubs`."""

import builtins
from typing import Any

import numpy

_dtype = dtype  # for use beside fields of that name

class Generator:
    def __getstate__(self, /) -> tuple[str, bytes]: ...
    def __init__(self, device: Any = None) -> None: ...
    def __setstate__(self, arg0: tuple) -> None: ...
    _device_name: Any
    def clone_state(self) -> Generator: ...
    device: Any
    def get_state(self) -> Any: ...
    def initial_seed(self) -> int: ...
    def manual_seed(self, seed: int) -> Any: ...
    def seed(self) -> int: ...
    def set_state(self, state: Any) -> Any: ...

class Node:
    def __ge__(self, *args: Any) -> Any: ...
    def __gt__(self, *args: Any) -> Any: ...
    def __le__(self, *args: Any) -> Any: ...
    def __lt__(self, *args: Any) -> Any: ...
    def backward(self, *args: Any) -> Any: ...
    edges: Any
    hooks: Any
    inputs: Any
    made_at: Any
    number: Any
    op: Any
    out: Any
    def release(self, *args: Any) -> Any: ...
    tensor_hooks: Any
    versions: Any
    def __init__(self, *args: Any) -> None: ...

class Op:
    def __call__(self, *args: Any) -> Any: ...
    __name__: str
    kind: str
    namer: Any
    plain: Any
    rules: Any
    saves: Any

class Tensor:
    def __abs__(self, *args: Any) -> Any: ...
    def __add__(self, *args: Any) -> Any: ...
    def __and__(self, *args: Any) -> Any: ...
    def __bool__(self, *args: Any) -> Any: ...
    def __delitem__(self, *args: Any) -> Any: ...
    def __float__(self, *args: Any) -> Any: ...
    def __floordiv__(self, *args: Any) -> Any: ...
    def __ge__(self, *args: Any) -> Any: ...
    def __getitem__(self, *args: Any) -> Any: ...
    def __gt__(self, *args: Any) -> Any: ...
    def __iadd__(self, *args: Any) -> Any: ...
    def __iand__(self, *args: Any) -> Any: ...
    def __ifloordiv__(self, *args: Any) -> Any: ...
    def __ilshift__(self, *args: Any) -> Any: ...
    def __imod__(self, *args: Any) -> Any: ...
    def __imul__(self, *args: Any) -> Any: ...
    def __index__(self, *args: Any) -> Any: ...
    def __int__(self, *args: Any) -> Any: ...
    def __invert__(self, *args: Any) -> Any: ...
    def __ior__(self, *args: Any) -> Any: ...
    def __ipow__(self, *args: Any) -> Any: ...
    def __irshift__(self, *args: Any) -> Any: ...
    def __isub__(self, *args: Any) -> Any: ...
    def __itruediv__(self, *args: Any) -> Any: ...
    def __ixor__(self, *args: Any) -> Any: ...
    def __le__(self, *args: Any) -> Any: ...
    def __len__(self, *args: Any) -> Any: ...
    def __lshift__(self, *args: Any) -> Any: ...
    def __lt__(self, *args: Any) -> Any: ...
    def __matmul__(self, *args: Any) -> Any: ...
    def __mod__(self, *args: Any) -> Any: ...
    def __mul__(self, *args: Any) -> Any: ...
    def __neg__(self, *args: Any) -> Any: ...
    def __or__(self, *args: Any) -> Any: ...
    def __pos__(self, *args: Any) -> Any: ...
    def __pow__(self, *args: Any) -> Any: ...
    def __radd__(self, *args: Any) -> Any: ...
    def __rand__(self, *args: Any) -> Any: ...
    def __rfloordiv__(self, *args: Any) -> Any: ...
    def __rlshift__(self, *args: Any) -> Any: ...
    def __rmatmul__(self, *args: Any) -> Any: ...
    def __rmod__(self, *args: Any) -> Any: ...
    def __rmul__(self, *args: Any) -> Any: ...
    def __ror__(self, *args: Any) -> Any: ...
    def __rpow__(self, *args: Any) -> Any: ...
    def __rrshift__(self, *args: Any) -> Any: ...
    def __rshift__(self, *args: Any) -> Any: ...
    def __rsub__(self, *args: Any) -> Any: ...
    def __rtruediv__(self, *args: Any) -> Any: ...
    def __rxor__(self, *args: Any) -> Any: ...
    def __setitem__(self, *args: Any) -> Any: ...
    def __sub__(self, *args: Any) -> Any: ...
    def __truediv__(self, *args: Any) -> Any: ...
    def __xor__(self, *args: Any) -> Any: ...
    _base: Any
    def _bump_version(self, *args: Any) -> Any: ...
    _changed_at: Any
    _device_name: Any
    _hooks: Any
    @staticmethod
    def _make_subclass(*args: Any) -> Any: ...
    def _rebase(self, *args: Any) -> Any: ...
    def _set_history(self, *args: Any) -> Any: ...
    def _strides(self, *args: Any) -> Any: ...
    _version: int
    data: Any
    def data_ptr(self, *args: Any) -> Any: ...
    def detach(self, *args: Any) -> Any: ...
    def dim(self, *args: Any) -> Any: ...
    dtype: _dtype
    grad: Any
    grad_fn: Any
    def is_contiguous(self, *args: Any) -> Any: ...
    def is_inference(self, *args: Any) -> Any: ...
    is_leaf: builtins.bool
    def item(self, *args: Any) -> Any: ...
    ndim: int
    def nelement(self, *args: Any) -> Any: ...
    def numel(self, *args: Any) -> Any: ...
    output_nr: int
    requires_grad: builtins.bool
    shape: tuple[int, ...]
    def storage_offset(self, *args: Any) -> Any: ...
    def __getattr__(self, name: str) -> Any: ...

class dtype:
    is_complex: builtins.bool
    is_floating_point: builtins.bool
    is_signed: builtins.bool
    itemsize: int
    name: str

class _Ops:
    abs: Op
    abs_: Op
    acos: Op
    acos_: Op
    acosh: Op
    acosh_: Op
    adaptive_avg_pool: Op
    adaptive_avg_pool_backward: Op
    adaptive_max_pool: Op
    add: Op
    add_: Op
    addcdiv: Op
    addcdiv_: Op
    addcmul: Op
    addcmul_: Op
    all: Op
    amax: Op
    amin: Op
    any: Op
    argmax: Op
    argmin: Op
    as_strided: Op
    asin: Op
    asin_: Op
    asinh: Op
    asinh_: Op
    atan: Op
    atan2: Op
    atan2_: Op
    atan_: Op
    atanh: Op
    atanh_: Op
    attention: Op
    attention_backward: Op
    attention_mask_backward: Op
    avg_pool: Op
    avg_pool_backward: Op
    bernoulli_: Op
    binomial: Op
    bitwise_and: Op
    bitwise_and_: Op
    bitwise_left_shift: Op
    bitwise_left_shift_: Op
    bitwise_not: Op
    bitwise_not_: Op
    bitwise_or: Op
    bitwise_or_: Op
    bitwise_right_shift: Op
    bitwise_right_shift_: Op
    bitwise_xor: Op
    bitwise_xor_: Op
    cast: Op
    cat: Op
    ceil: Op
    ceil_: Op
    celu: Op
    celu_: Op
    channel_norm: Op
    channel_norm_backward: Op
    channel_norm_given: Op
    clamp: Op
    clamp_: Op
    clone: Op
    contiguous: Op
    conv_backward_weight: Op
    conv_transpose: Op
    convolution: Op
    copy: Op
    copy_: Op
    copy_from_: Op
    copy_slices: Op
    copysign: Op
    copysign_: Op
    cos: Op
    cos_: Op
    cosh: Op
    cosh_: Op
    cross_entropy: Op
    cross_entropy_backward: Op
    cummax: Op
    cummin: Op
    cumprod: Op
    cumsum: Op
    diagonal: Op
    diagonal_backward: Op
    digamma: Op
    digamma_: Op
    div: Op
    div_: Op
    elu: Op
    elu_: Op
    empty_like: Op
    eq: Op
    eq_: Op
    erf: Op
    erf_: Op
    erfc: Op
    erfc_: Op
    erfinv: Op
    erfinv_: Op
    exp: Op
    exp2: Op
    exp2_: Op
    exp_: Op
    expand: Op
    expm1: Op
    expm1_: Op
    exponential_: Op
    fill_: Op
    floor: Op
    floor_: Op
    floor_divide: Op
    floor_divide_: Op
    fmax: Op
    fmax_: Op
    fmin: Op
    fmin_: Op
    fmod: Op
    fmod_: Op
    fold_windows: Op
    frac: Op
    frac_: Op
    gather: Op
    gcd: Op
    gcd_: Op
    ge: Op
    ge_: Op
    gelu: Op
    gelu_: Op
    gelu_backward: Op
    gelu_backward_: Op
    gelu_tanh: Op
    gelu_tanh_: Op
    gelu_tanh_backward: Op
    gelu_tanh_backward_: Op
    getitem: Op
    getitem_backward: Op
    gt: Op
    gt_: Op
    hardshrink: Op
    hardshrink_: Op
    hardsigmoid: Op
    hardsigmoid_: Op
    hardswish: Op
    hardswish_: Op
    hardtanh: Op
    hardtanh_: Op
    heaviside: Op
    heaviside_: Op
    hypot: Op
    hypot_: Op
    index: Op
    index_add_: Op
    index_copy_: Op
    index_put_: Op
    index_reduce_: Op
    index_select: Op
    into: Op
    isfinite: Op
    isfinite_: Op
    isinf: Op
    isinf_: Op
    isnan: Op
    isnan_: Op
    layer_norm: Op
    layer_norm_backward: Op
    lcm: Op
    lcm_: Op
    le: Op
    le_: Op
    leaky_relu: Op
    leaky_relu_: Op
    lerp: Op
    lerp_: Op
    lgamma: Op
    lgamma_: Op
    linear: Op
    linear_activation: Op
    log: Op
    log10: Op
    log10_: Op
    log1p: Op
    log1p_: Op
    log2: Op
    log2_: Op
    log_: Op
    log_sigmoid: Op
    log_sigmoid_: Op
    log_softmax: Op
    log_softmax_backward: Op
    logaddexp: Op
    logaddexp2: Op
    logaddexp2_: Op
    logaddexp_: Op
    logcumsumexp: Op
    logical_and: Op
    logical_and_: Op
    logical_not: Op
    logical_not_: Op
    logical_or: Op
    logical_or_: Op
    logical_xor: Op
    logical_xor_: Op
    logit: Op
    logit_: Op
    lt: Op
    lt_: Op
    masked_fill_: Op
    matmul: Op
    max_dim: Op
    max_pool: Op
    max_pool_backward: Op
    maximum: Op
    maximum_: Op
    mean: Op
    min_dim: Op
    minimum: Op
    minimum_: Op
    mish: Op
    mish_: Op
    mul: Op
    mul_: Op
    multinomial: Op
    nan_to_num: Op
    nan_to_num_: Op
    ne: Op
    ne_: Op
    neg: Op
    neg_: Op
    nextafter: Op
    nextafter_: Op
    nonzero: Op
    normal_: Op
    permute: Op
    poisson: Op
    pow: Op
    pow_: Op
    prod: Op
    random_: Op
    randperm: Op
    reciprocal: Op
    reciprocal_: Op
    relu: Op
    relu_: Op
    relu_backward: Op
    relu_backward_: Op
    remainder: Op
    remainder_: Op
    resample: Op
    round: Op
    round_: Op
    rsqrt: Op
    rsqrt_: Op
    scatter_: Op
    scatter_add_: Op
    scatter_reduce_: Op
    searchsorted: Op
    select: Op
    selu: Op
    selu_: Op
    setitem_: Op
    sigmoid: Op
    sigmoid_: Op
    sigmoid_backward: Op
    sigmoid_backward_: Op
    sign: Op
    sign_: Op
    signbit: Op
    signbit_: Op
    silu: Op
    silu_: Op
    silu_backward: Op
    silu_backward_: Op
    sin: Op
    sin_: Op
    sinc: Op
    sinc_: Op
    sinh: Op
    sinh_: Op
    slice: Op
    softmax: Op
    softmax_backward: Op
    softplus: Op
    softplus_: Op
    softshrink: Op
    softshrink_: Op
    sort: Op
    sqrt: Op
    sqrt_: Op
    square: Op
    square_: Op
    squeeze: Op
    standard_gamma: Op
    sub: Op
    sub_: Op
    sum: Op
    take_slices: Op
    tan: Op
    tan_: Op
    tanh: Op
    tanh_: Op
    tanh_backward: Op
    tanh_backward_: Op
    threshold: Op
    threshold_: Op
    to_device: Op
    transpose: Op
    trunc: Op
    trunc_: Op
    trunc_divide: Op
    trunc_divide_: Op
    unfold: Op
    unfold_windows: Op
    uniform_: Op
    unsqueeze: Op
    view: Op
    view_as: Op
    where: Op
    where_: Op
    xlog1py: Op
    xlog1py_: Op
    xlogy: Op
    xlogy_: Op
    zeta: Op
    zeta_: Op
    def __getattr__(self, name: str) -> Op: ...

__version__: str
bfloat16: dtype
bool: dtype
float16: dtype
float32: dtype
float64: dtype
int16: dtype
int32: dtype
int64: dtype
int8: dtype
uint8: dtype
ops: _Ops

def adam_step(*args: Any) -> Any: ...
def as_strided(arg0: Any, arg1: Any, arg2: Any, arg3: int) -> Any: ...
def bitcast(arg0: Any, arg1: Any) -> Any: ...
def build_info() -> dict: ...
def can_view(arg0: Any, arg1: Any) -> builtins.bool: ...
def cpu_isa() -> str: ...
def cpu_isas() -> list[str]: ...
def devices() -> list[str]: ...
def empty(arg0: Any, arg1: Any, arg2: str) -> Any: ...
def empty_cache(arg0: str) -> None: ...
def empty_shared(arg0: int, arg1: Any) -> Any: ...
def from_dlpack(arg0: Any) -> tuple: ...
def from_numpy(arg0: numpy.ndarray) -> Any: ...
def get_default_dtype() -> Any: ...
def hollow(arg0: Any) -> Any: ...
def is_grad_enabled() -> builtins.bool: ...
def is_inference_mode() -> builtins.bool: ...
def is_shared(arg0: Any) -> builtins.bool: ...
def kernels(arg0: str) -> list[str]: ...
def lend(arg0: Any) -> None: ...
def loan(arg0: Any) -> str: ...
def look_for_anomalies(arg0: Any) -> None: ...
def map_shared(arg0: int, arg1: int, arg2: Any, arg3: builtins.bool) -> Any: ...
def matches(*args: Any) -> Any: ...
def memory_stats(arg0: str) -> dict: ...
def move_to_shared(arg0: Any) -> None: ...
def num_threads() -> int: ...
def op_rows() -> list[tuple[str, int, str, str]]: ...
def probe(arg0: str, arg1: int, arg2: int, arg3: str) -> tuple[float, float]: ...
def promote_types(arg0: Any, arg1: Any) -> Any: ...
def register(arg0: Any, arg1: Any, arg2: Any) -> None: ...
def register_indexing(arg0: Any) -> None: ...
def register_keywords(arg0: Any) -> None: ...
def reset_peak(arg0: str) -> None: ...
def result_type(*args) -> Any: ...
def set_default_dtype(arg0: Any) -> None: ...
def set_dtype_prefix(arg0: str) -> None: ...
def set_grad_enabled(arg0: builtins.bool) -> None: ...
def set_inference_mode(arg0: builtins.bool) -> None: ...
def set_num_threads(arg0: int) -> None: ...
def sgd_step(*args: Any) -> Any: ...
def shared_descriptor(arg0: Any) -> int: ...
def synchronize(arg0: str) -> None: ...
def to_dlpack(tensor: Any, versioned: builtins.bool, copied: builtins.bool) -> Any: ...
def to_numpy(arg0: Any) -> numpy.ndarray: ...
def whole_storage(arg0: Any) -> Any: ...
