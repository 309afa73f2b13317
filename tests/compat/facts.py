"""What expressions give in PyTorch, as text: its repr, or the exception's name.

test_facts.py asks veem, and PyTorch where it is installed. Run as a program it prints
what is otherwise, as JSON.
"""

import inspect
import json
import sys
import warnings

import numpy as np
import torch
import torch.distributed
import torch.nn.parallel
import torch.utils.data.dataloader
from torch.autograd import Variable

FACTS = """
# tensors and their types
torch.float32  ->  torch.float32
torch.zeros(2, 3).shape  ->  torch.Size([2, 3])
torch.ones(2).max(0)  ->  torch.return_types.max( values=tensor(1.), indices=tensor(0))
torch.ones(2).double() / 3  ->  tensor([0.3333, 0.3333], dtype=torch.float64)
torch.manual_seed(1) is torch.default_generator  ->  True
torch.Generator(device=torch.device("cpu")).manual_seed(3).initial_seed()  ->  3
torch.Generator().get_state().dtype  ->  torch.uint8
torch.random.get_rng_state().shape  ->  torch.Size([5056])
torch.Tensor(2, 3).shape  ->  torch.Size([2, 3])
torch.Tensor([1, 2])  ->  tensor([1., 2.])
torch.Tensor(torch.Size([2])).shape  ->  torch.Size([2])
torch.Tensor().shape  ->  torch.Size([0])
torch.Tensor(3.5)  ->  TypeError
torch.FloatTensor([[1, 2]])  ->  tensor([[1., 2.]])
torch.LongTensor([1.5, -1.5])  ->  tensor([ 1, -1])
torch.LongTensor(3).shape  ->  torch.Size([3])
torch.LongTensor(torch.arange(3.0))  ->  TypeError
torch.IntTensor([True])  ->  tensor([1], dtype=torch.int32)
torch.ByteTensor([300 % 256])  ->  tensor([44], dtype=torch.uint8)
torch.DoubleTensor(np.ones(2, dtype="float32"))
    ->  tensor([1., 1.], dtype=torch.float64)
torch.FloatTensor  ->  <class 'torch.FloatTensor'>
type(torch.zeros(1))  ->  <class 'torch.Tensor'>
type(torch.nn.Parameter(torch.zeros(1)))  ->  <class 'torch.nn.parameter.Parameter'>
torch.FloatTensor.dtype  ->  torch.float32
torch.FloatTensor.is_cuda  ->  False
isinstance(torch.zeros(1), torch.FloatTensor)  ->  True
isinstance(torch.zeros(1), torch.LongTensor)  ->  False
isinstance(torch.zeros(1), torch.cuda.FloatTensor)  ->  False
isinstance(torch.nn.Linear(1, 1).weight, torch.Tensor)  ->  True
isinstance(torch.zeros(1), Variable)  ->  True
Variable(torch.ones(2), requires_grad=True)  ->  tensor([1., 1.], requires_grad=True)
Variable([1])  ->  TypeError
torch.zeros(1).type()  ->  'torch.FloatTensor'
torch.arange(2).type("torch.FloatTensor")  ->  tensor([0., 1.])
torch.arange(2).type(torch.DoubleTensor)  ->  tensor([0., 1.], dtype=torch.float64)
torch.arange(2).type(torch.bool)  ->  tensor([False,  True])
torch.zeros(1).type("nonsense")  ->  ValueError
torch.arange(2).type_as(torch.zeros(1))  ->  tensor([0., 1.])
torch.zeros(1).new(2, 3).shape  ->  torch.Size([2, 3])
torch.zeros(1).new([1, 2])  ->  tensor([1., 2.])
torch.typename(torch.zeros(1))  ->  'torch.FloatTensor'
torch.typename(3)  ->  'int'
torch.is_tensor(torch.zeros(1))  ->  True
torch.is_storage(1)  ->  False
torch.zeros(2).layout  ->  torch.strided
torch.zeros(2).is_cpu  ->  True
torch.zeros(2).get_device()  ->  -1
torch.contiguous_format  ->  torch.contiguous_format
# versions and settings
torch.__version__ >= "1.9"  ->  True
torch.__version__ >= "2.9"  ->  True
torch.__version__ < (1, 13)  ->  False
int(torch.__version__.split(".")[0])  ->  2
torch.version.cuda  ->  None
torch.get_default_dtype()  ->  torch.float32
torch.set_default_tensor_type("torch.DoubleTensor")  ->  None
torch.zeros(1).dtype  ->  torch.float64
torch.set_default_tensor_type(torch.FloatTensor)  ->  None
torch.get_default_device()  ->  device(type='cpu')
torch.set_default_device("cpu")  ->  None
torch.get_float32_matmul_precision()  ->  'highest'
torch.set_float32_matmul_precision("high")  ->  None
torch.get_float32_matmul_precision()  ->  'high'
torch.use_deterministic_algorithms(True)  ->  None
torch.are_deterministic_algorithms_enabled()  ->  True
torch.use_deterministic_algorithms(False)  ->  None
torch.finfo(torch.float32).eps  ->  1.1920928955078125e-07
torch.iinfo(torch.int8)  ->  iinfo(min=-128, max=127, dtype=int8)
(torch.inf, torch.nan, torch.pi, torch.e, torch.newaxis)
    ->  (inf, nan, 3.141592653589793, 2.718281828459045, None)
# devices that are not there
torch.cuda.is_available()  ->  False
torch.cuda.device_count()  ->  0
torch.cuda.is_bf16_supported()  ->  False
torch.cuda.manual_seed(1)  ->  None
torch.cuda.manual_seed_all(1)  ->  None
torch.cuda.empty_cache()  ->  None
torch.cuda.synchronize()  ->  AssertionError
torch.cuda.current_device()  ->  AssertionError
torch.cuda.get_device_name(0)  ->  AssertionError
torch.cuda.Stream()  ->  RuntimeError
torch.cuda.get_rng_state_all()  ->  []
torch.cuda.FloatTensor(2)  ->  TypeError
torch.zeros(1).cuda()  ->  AssertionError
torch.zeros(1).to("cuda")  ->  AssertionError
torch.zeros(1, device="cuda:0")  ->  AssertionError
torch.nn.Linear(1, 1).cuda()  ->  AssertionError
torch.device("cuda:1")  ->  device(type='cuda', index=1)
torch.device("cpu").__enter__()  ->  device(type='cpu')
torch.device("mps").type  ->  'mps'
torch.device("cpu") == torch.device("cpu", 0)  ->  False
torch.accelerator.is_available()  ->  False
torch.accelerator.current_accelerator()  ->  None
torch.accelerator.device_count()  ->  0
torch.accelerator.synchronize()  ->  RuntimeError
torch.mps.manual_seed(1)  ->  None
torch.backends.mps.is_available()  ->  False
torch.backends.cudnn.is_available()  ->  False
torch.backends.cudnn.version()  ->  None
torch.backends.cudnn.benchmark  ->  False
# mixed precision
type(torch.amp.autocast("cuda", enabled=False).__enter__()).__name__  ->  'autocast'
torch.amp.GradScaler("cuda").is_enabled()  ->  False
torch.cuda.amp.GradScaler(enabled=False).state_dict()  ->  {}
torch.cuda.amp.GradScaler(enabled=False).scale(torch.ones(1))  ->  tensor([1.])
torch.amp.GradScaler("cpu").get_scale()  ->  65536.0
torch.amp.GradScaler("cpu", init_scale=4.0).scale(torch.ones(2))  ->  tensor([4., 4.])
len(torch.amp.GradScaler("cpu").state_dict())  ->  5
# one process
torch.distributed.is_available()  ->  True
torch.distributed.is_initialized()  ->  False
torch.distributed.get_rank()  ->  ValueError
torch.distributed.init_process_group("gloo")  ->  ValueError
torch.distributed.destroy_process_group()  ->  AssertionError
torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))  ->  ValueError
torch.nn.DataParallel(torch.nn.Linear(1, 1)).state_dict().keys()
    ->  odict_keys(['module.weight', 'module.bias'])
torch.compile(torch.nn.Linear(1, 1)).state_dict().keys()
    ->  odict_keys(['_orig_mod.weight', '_orig_mod.bias'])
torch.compile(torch.nn.Linear(2, 1)).in_features  ->  2
torch.jit.is_scripting()  ->  False
torch.hub.tqdm.__name__  ->  'tqdm'
# functions that torch has beside nn.functional's
torch.dropout(torch.ones(3), 0.5, False)  ->  tensor([1., 1., 1.])
torch.embedding(torch.eye(2), torch.tensor([1]))  ->  tensor([[0., 1.]])
torch.layer_norm(torch.arange(4.0), (4,)).round()  ->  tensor([-1., -0.,  0.,  1.])
torch.max_pool2d(torch.arange(16.0).view(1, 4, 4), 2)
    ->  tensor([[[ 5.,  7.], [13., 15.]]])
# legacy arguments
torch.nn.MSELoss(size_average=False)(torch.ones(2), torch.zeros(2))  ->  tensor(2.)
torch.nn.functional.nll_loss(torch.zeros(1, 2), torch.tensor([0]), reduce=False)
    ->  tensor([-0.])
torch.nn.init.constant(torch.zeros(2), 3)  ->  tensor([3., 3.])
torch.nn.init.normal(torch.zeros(2), 1, 0)  ->  tensor([1., 1.])
torch.utils.data.dataloader.DataLoader.__name__  ->  'DataLoader'
torch.nn.modules.loss._Loss.__name__  ->  '_Loss'
torch.optim.lr_scheduler._LRScheduler.__name__.strip("_")  ->  'LRScheduler'
issubclass(torch.nn.Conv2d, torch.nn.modules.conv._ConvNd)  ->  True
issubclass(torch.nn.BatchNorm1d, torch.nn.modules.batchnorm._BatchNorm)  ->  True
issubclass(torch.nn.LSTM, torch.nn.RNNBase)  ->  True
torch.nn.modules.utils._pair(3)  ->  (3, 3)
list(inspect.signature(torch.optim.AdamW).parameters)[:5]
    ->  ['params', 'lr', 'betas', 'eps', 'weight_decay']
# what is not there
torch.no_such_name  ->  AttributeError
torch.nn.Linaer  ->  AttributeError
torch.zeros(1).no_such_method()  ->  AttributeError
hasattr(torch, "compile")  ->  True
hasattr(torch.nn.functional, "scaled_dot_product_attention")  ->  True
"""


def facts():
    """The pairs of FACTS; lines that begin with # are titles."""
    lines = [x for x in FACTS.replace("\n    ->", "  ->").splitlines() if x[:1] != "#"]
    return [line.split("  ->  ") for line in lines if line]


def shown(expression):
    """What it gives: on one line, as reprs of matrices have several."""
    names = {"torch": torch, "np": np, "inspect": inspect, "Variable": Variable}
    try:
        return " ".join(repr(eval(expression, names)).split())
    except Exception as error:
        return type(error).__name__


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    found = ((e, said, shown(e)) for e, said in facts())
    json.dump([f for f in found if " ".join(f[1].split()) != f[2]], sys.stdout)
