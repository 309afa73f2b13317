"""torch.autograd."""

from veem.compat.legacy import Variable
