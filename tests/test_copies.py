"""pickle, copy and deepcopy of tensors, parameters, modules, optimizers, generators."""

import copy
import pickle

import pytest

import veem

DTYPES = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()
COPIES = {
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "protocol 2": lambda x: pickle.loads(pickle.dumps(x, 2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors(how, dtype):
    x = veem.arange(12).to(getattr(veem, dtype)).reshape(3, 4)[1:].T
    y = COPIES[how](x)
    assert (y.dtype, y.stride(), y.storage_offset()) == (x.dtype, (1, 4), 4)
    assert y.tolist() == x.tolist()
    assert (y.data_ptr() == x.data_ptr()) == (how == "copy")


@pytest.mark.parametrize("device", [d for d in veem._core.devices() if d != "cpu"])
@pytest.mark.parametrize("how", COPIES)
def test_tensors_of_other_devices(how, device):
    x = veem.arange(6.0).to(device).reshape(2, 3).T
    y = COPIES[how](x)
    assert y.device == x.device and y.stride() == (1, 3)
    assert y.tolist() == x.tolist()


@pytest.mark.parametrize("how", ["pickle", "protocol 2", "deepcopy"])
def test_views_of_one_memory_stay_that(how):
    x = veem.arange(6.0)
    a, b, c = COPIES[how]([x, x.view(2, 3).T, x])
    assert c is a
    a[1] = 9
    assert b[1, 0].item() == 9
    assert x[1].item() == 1


@pytest.mark.parametrize("how", COPIES)
def test_parameters_flags_attributes_and_gradients(how):
    x = veem.ones(2, requires_grad=True)
    x.tag, x.grad = ["note"], veem.ones(2)
    y = COPIES[how](x)
    assert y.requires_grad and y.is_leaf and y.tag == ["note"]
    assert (y.grad is None) == (how != "deepcopy")
    p = veem.nn.Parameter(veem.ones(2), requires_grad=False)
    q = COPIES[how](p)
    assert type(q) is veem.nn.Parameter and not q.requires_grad


def test_history_is_left_behind_or_refused():
    y = veem.ones(2, requires_grad=True) * 2
    for how in ("pickle", "copy"):
        z = COPIES[how](y)
        assert z.is_leaf and z.requires_grad and z.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="graph leaves.*deepcopy"):
        copy.deepcopy(y)


def test_hooks_are_left_behind():
    x = veem.ones(2, requires_grad=True)
    x.register_hook(lambda g: g * 10)
    with pytest.warns(UserWarning, match="hooks"):
        y = pickle.loads(pickle.dumps(x))
    for z in (y, copy.deepcopy(x)):
        z.sum().backward()
        assert z.grad.tolist() == [1, 1]


def test_own_classes_of_tensors():
    y = copy.deepcopy(Tagged(veem.ones(2)))
    assert type(y) is Tagged and y.tolist() == [1, 1]
    assert type(pickle.loads(pickle.dumps(y))) is Tagged


class Tagged(veem.Tensor):
    def __new__(cls, data):
        return veem.Tensor._make_subclass(cls, data, False)


def tied():
    model = veem.nn.Sequential(veem.nn.Linear(3, 3), veem.nn.Linear(3, 3))
    model[1].weight = model[0].weight
    model.register_buffer("count", veem.zeros(1))
    return model


@pytest.mark.parametrize("how", ["pickle", "protocol 2", "deepcopy"])
def test_modules(how):
    model = tied()
    other = COPIES[how](model)
    assert other[0].weight is other[1].weight
    assert len(list(other.parameters())) == 3
    x = veem.randn(2, 3)
    assert other(x).tolist() == model(x).tolist()
    with veem.no_grad():
        model[0].weight.zero_()
    assert other[0].weight.any()


def test_a_copy_of_a_module_shares_its_members():
    model = tied()
    other = copy.copy(model)
    assert other._parameters is model._parameters and other[0] is model[0]


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_modules_with_their_optimizers(how):
    model = tied()
    optimizer = veem.optim.Adam(model.parameters(), lr=0.1)
    schedule = veem.optim.lr_scheduler.StepLR(optimizer, 2)

    def step(model, optimizer, schedule):
        model(veem.ones(1, 3)).sum().backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()

    step(model, optimizer, schedule)
    parts = COPIES[how]([model, optimizer, schedule])
    assert parts[2].optimizer is parts[1]
    for _ in range(3):
        step(model, optimizer, schedule)
        step(*parts)
    assert parts[0][0].weight.tolist() == model[0].weight.tolist()
    assert parts[1].param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize("how", COPIES)
def test_generators(how):
    g = veem.Generator().manual_seed(5)
    veem.rand(3, generator=g)
    h = COPIES[how](g)
    first = veem.rand(9, generator=g).tolist()
    assert veem.rand(9, generator=h).tolist() == first


@pytest.mark.parametrize("how", COPIES)
def test_small_things(how):
    for x in (veem.float16, veem.Size((2, 3)), veem.device("cpu"), veem.strided):
        y = COPIES[how](x)
        assert y == x and type(y) is type(x)


def test_storages():
    x = veem.arange(4, dtype=veem.uint8)
    s = x.untyped_storage()
    assert s is x[1:].untyped_storage() and s is not x.clone().untyped_storage()
    assert (len(s), s.nbytes(), s.size(), s.element_size()) == (4, 4, 4, 1)
    assert s.tolist() == [0, 1, 2, 3] and s[1] == 1
    assert s.data_ptr() == x.data_ptr() and s.device == veem.device("cpu")
    s[0] = 9
    assert x[0].item() == 9
    other = veem.UntypedStorage(4).copy_(s)
    assert other.view(veem.int32, (1,), (1,)).untyped_storage() is other
    assert other.tolist() == [9, 1, 2, 3]
    assert other.fill_(1).clone().tolist() == [1, 1, 1, 1]
    assert s.cpu() is s
    assert "4 bytes" in repr(s)
    assert veem.arange(3.0).untyped_storage().nbytes() == 12
    if "cuda" not in veem._core.devices():
        with pytest.raises(AssertionError, match="cuda"):
            s.cuda()
