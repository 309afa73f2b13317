"""torch.nn."""

from veem.nn import NLLLoss as NLLLoss2d
from veem.nn.rnn import _Recurrent as RNNBase
from veem.nn.rnn_cells import _Cell as RNNCellBase
