"""torch.nn.modules: the names of torch.nn, and base classes that programs extend."""

from veem.nn import *  # noqa: F403
from veem.nn.batch_norm import _BatchNorm, _InstanceNorm
from veem.nn.batch_norm import _Norm as _NormBase
from veem.nn.conv import _Conv as _ConvNd
from veem.nn.conv import _Transposed as _ConvTransposeNd
from veem.nn.dropout import _Dropout as _DropoutNd
from veem.nn.linear import NonDynamicallyQuantizableLinear
from veem.nn.loss import _Loss, _WeightedLoss
from veem.nn.rnn import _Recurrent as RNNBase
from veem.nn.rnn_cells import _Cell as RNNCellBase


def _tuple_of(n):
    return lambda x: tuple(x) if hasattr(x, "__iter__") else (x,) * n


_single, _pair, _triple, _quadruple = map(_tuple_of, (1, 2, 3, 4))
