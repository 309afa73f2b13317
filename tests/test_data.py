"""utils.data: datasets, samplers, collating, the loader."""

import collections
import types

import numpy as np
import pytest

import veem
from veem.utils import data as D
from veem.utils.data import collate as collate_module


class Squares(D.Dataset):
    def __init__(self, n):
        self.n = n

    def __getitem__(self, i):
        return i, float(i * i)

    def __len__(self):
        return self.n


class Stream(D.IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


def tensors(n=10):
    return D.TensorDataset(veem.arange(n * 2).view(n, 2), veem.arange(n))


def plain(batch):
    """Tensors as lists, all the way down."""
    if isinstance(batch, veem.Tensor):
        return batch.tolist()
    if isinstance(batch, dict):
        return {k: plain(v) for k, v in batch.items()}
    return [plain(b) for b in batch] if isinstance(batch, (list, tuple)) else batch


# ---- datasets -----------------------------------------------------------------------


def test_tensor_dataset():
    data = tensors()
    x, y = data[3]
    assert len(data) == 10 and x.tolist() == [6, 7] and y.item() == 3
    with pytest.raises(AssertionError, match="10, 3 rows"):
        D.TensorDataset(veem.zeros(10), veem.zeros(3))


def test_concat_and_subset():
    both = Squares(3) + Squares(2)
    assert len(both) == 5
    assert [both[i][0] for i in range(5)] == [0, 1, 2, 0, 1] and both[-1][0] == 1
    with pytest.raises(ValueError, match="length 5"):
        both[-6]
    with pytest.raises(AssertionError, match="empty"):
        D.ConcatDataset([])
    with pytest.raises(AssertionError, match="IterableDataset"):
        D.ConcatDataset([Stream(2)])
    assert list(Stream(2) + Stream(3)) == [0, 1, 0, 1, 2]
    part = D.Subset(Squares(10), [7, 2])
    assert len(part) == 2 and part[1] == (2, 4.0)


class Listed(Squares):
    """Gives several samples at once, and counts how often."""

    calls = 0

    def __getitems__(self, indices):
        self.calls += 1
        return [self[i] for i in indices]


def test_stack():
    pairs = D.StackDataset(Squares(4), range(4))
    assert len(pairs) == 4 and pairs[2] == ((2, 4.0), 2)
    many = Listed(4)
    named = D.StackDataset(square=many, i=range(4))
    assert named[1] == {"square": (1, 1.0), "i": 1}
    (batch,) = D.DataLoader(named, 4)
    assert batch["i"].tolist() == [0, 1, 2, 3] and many.calls == 1
    assert pairs.__getitems__([3, 0]) == [pairs[3], pairs[0]]
    for args, kwargs in ([], {}), ([many], {"x": many}), ([range(2), range(3)], {}):
        with pytest.raises(ValueError, match="StackDataset|Size mismatch"):
            D.StackDataset(*args, **kwargs)
    many.__class__.__getitems__, whole = lambda self, i: [0], Listed.__getitems__
    with pytest.raises(ValueError, match="expected 2 samples"):
        named.__getitems__([0, 1])
    Listed.__getitems__ = whole


def test_several_samples_at_once_reach_through_a_subset():
    many = Listed(6)
    (batch,) = D.DataLoader(D.Subset(many, [5, 1]), 2)
    assert plain(batch) == [[5, 1], [25, 1]] and many.calls == 1


def test_classes_take_a_type():
    class Typed(D.Dataset[int]):
        def __getitem__(self, i):
            return i

    assert Typed()[3] == 3 and issubclass(Typed, D.Dataset)
    assert D.DataLoader[int] and D.Sampler[int] and D.IterableDataset[str]


def test_random_split():
    g = veem.Generator().manual_seed(42)
    first, second = D.random_split(range(10), [7, 3], generator=g)
    assert sorted([*first, *second]) == list(range(10)) and len(second) == 3
    parts = D.random_split(range(10), [0.33, 0.33, 0.34])
    assert [len(p) for p in parts] == [4, 3, 3]
    for lengths in ([7, 4], [0.5, 0.4]):
        with pytest.raises(ValueError, match="Sum of input lengths"):
            D.random_split(range(10), lengths)
    with pytest.raises(ValueError, match="index 0"):
        D.random_split(range(10), [-0.5, 1.5])
    with pytest.warns(UserWarning, match="index 1 is 0"):
        D.random_split(range(2), [1.0, 0.0])


def test_base_classes_ask_for_what_is_missing():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        D.Dataset()[0]
    with pytest.raises(NotImplementedError, match="__iter__"):
        list(D.IterableDataset())


# ---- samplers: the orders that PyTorch gives after manual_seed(0) -------------------


def test_samplers():
    veem.manual_seed(0)
    assert list(D.SequentialSampler(range(4))) == [0, 1, 2, 3]
    assert list(D.RandomSampler(range(8))) == RANDOM
    assert list(D.RandomSampler(range(5), replacement=True, num_samples=8)) == DRAWN
    assert list(D.SubsetRandomSampler([10, 20, 30, 40])) == SUBSET
    assert list(D.WeightedRandomSampler([1, 0, 3, 2], 6)) == WEIGHTED
    twice = list(D.RandomSampler(range(3), num_samples=6))
    assert sorted(twice[:3]) == sorted(twice[3:]) == [0, 1, 2]


RANDOM = [2, 5, 4, 6, 1, 7, 0, 3]
DRAWN = [1, 3, 2, 0, 2, 1, 2, 4]
SUBSET = [40, 20, 10, 30]
WEIGHTED = [2, 0, 2, 2, 0, 2]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("n, replicas", [(10, 3), (9, 3), (2, 5)])
def test_distributed_sampler(n, replicas, shuffle, drop_last):
    shares = [
        D.DistributedSampler(range(n), replicas, rank, shuffle, drop_last=drop_last)
        for rank in range(replicas)
    ]
    indices = [list(share) for share in shares]
    length = n // replicas if drop_last else -(-n // replicas)
    assert [len(i) for i in indices] == [len(s) for s in shares] == [length] * replicas
    if drop_last:
        assert len({i for share in indices for i in share}) == length * replicas
    else:
        assert {i for share in indices for i in share} == set(range(n))
    shares[0].set_epoch(1)
    if n > 5:
        assert (list(shares[0]) == indices[0]) == (not shuffle)
    for rank in (-1, replicas):
        with pytest.raises(ValueError, match=f"Invalid rank {rank}"):
            D.DistributedSampler(range(n), replicas, rank)
    with pytest.raises(ValueError, match="pass num_replicas"):
        D.DistributedSampler(range(n))


def test_batch_sampler():
    batches = D.BatchSampler(D.SequentialSampler(range(7)), 3, False)
    assert list(batches) == [[0, 1, 2], [3, 4, 5], [6]] and len(batches) == 3
    batches = D.BatchSampler(range(7), 3, True)
    assert list(batches) == [[0, 1, 2], [3, 4, 5]] and len(batches) == 2


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: D.RandomSampler([]), ValueError),
        (lambda: D.RandomSampler([1], num_samples=0), ValueError),
        (lambda: D.RandomSampler([1], replacement=1), TypeError),
        (lambda: D.WeightedRandomSampler([1.0], 0), ValueError),
        (lambda: D.WeightedRandomSampler([[1.0]], 1), ValueError),
        (lambda: D.WeightedRandomSampler([1.0], 1, replacement=2), ValueError),
        (lambda: D.BatchSampler([1], 0, False), ValueError),
        (lambda: D.BatchSampler([1], True, False), ValueError),
        (lambda: D.BatchSampler([1], 2, 0), ValueError),
    ],
)
def test_bad_samplers(make, error):
    with pytest.raises(error, match="should be"):
        make()


# ---- collating ----------------------------------------------------------------------

Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "batch, expected, dtype",
    [
        ([veem.ones(2), veem.zeros(2)], [[1, 1], [0, 0]], veem.float32),
        ([1, 2], [1, 2], veem.int64),
        ([True, False], [True, False], veem.bool),
        ([1.5, 2.5], [1.5, 2.5], veem.float64),
        ([np.ones(2, np.uint8)] * 2, [[1, 1]] * 2, veem.uint8),
        ([np.float32(1)] * 2, [1, 1], veem.float32),
    ],
)
def test_collate_values(batch, expected, dtype):
    out = D.default_collate(batch)
    assert out.tolist() == expected and out.dtype == dtype


def test_collate_structures():
    assert D.default_collate(["a", "b"]) == ["a", "b"]
    assert plain(D.default_collate([(1, "a"), (2, "b")])) == [[1, 2], ["a", "b"]]
    assert plain(D.default_collate([{"k": 1}, {"k": 2}])) == {"k": [1, 2]}
    point = D.default_collate([Point(1, 2), Point(3, 4)])
    assert type(point) is Point and point.x.tolist() == [1, 3]
    with pytest.raises(RuntimeError, match="equal size"):
        D.default_collate([[1], [1, 2]])
    with pytest.raises(TypeError, match=r"found .*object"):
        D.default_collate([object()])
    counted = collections.defaultdict(int, k=1)
    out = D.default_collate([counted, counted])
    assert type(out) is collections.defaultdict and out["other"] == 0
    frozen = types.MappingProxyType({"k": 2})
    assert plain(dict(D.default_collate([frozen, frozen]))) == {"k": [2, 2]}
    assert plain(D.default_collate([range(2), range(2)])) == [[0, 0], [1, 1]]
    with pytest.raises(TypeError, match="found <U1"):
        D.default_collate([np.array(["a"])])
    converted = D.default_convert((np.ones(2), "a", [np.int64(3)], {"k": np.zeros(1)}))
    assert plain(converted) == [[1, 1], "a", [3], {"k": [0]}]


def test_collate_with_other_functions(monkeypatch):
    def count(batch, *, collate_fn_map):
        return len(batch)

    known = {**collate_module.default_collate_fn_map, (Point, complex): count}
    assert collate_module.collate([Point(1, 2)] * 3, collate_fn_map=known) == 3
    both = [(1j, 1)] * 2
    assert plain(collate_module.collate(both, collate_fn_map=known)) == [2, [1, 1]]
    monkeypatch.setitem(collate_module.default_collate_fn_map, complex, count)
    assert plain(D.default_collate([(1j, 2)] * 2)) == [2, [2, 2]]


# ---- the loader ---------------------------------------------------------------------


def test_loader_in_order():
    loader = D.DataLoader(Squares(5), batch_size=2)
    assert len(loader) == 3
    assert plain(list(loader)) == [[[0, 1], [0, 1]], [[2, 3], [4, 9]], [[4], [16]]]
    assert len(list(D.DataLoader(Squares(5), 2, drop_last=True))) == 2


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("part", [None, [7, 2, 9, 4, 0]])
def test_rows_at_once_are_the_samples_stacked(shuffle, drop_last, part):
    data = tensors() if part is None else D.Subset(tensors(), part)
    options = {"batch_size": 3, "shuffle": shuffle, "drop_last": drop_last}
    veem.manual_seed(5)
    fast = list(D.DataLoader(data, **options))
    veem.manual_seed(5)
    slow = list(
        D.DataLoader(data, **options, collate_fn=lambda b: D.default_collate(b))
    )
    assert plain(fast) == plain(slow) and type(fast[0]) is type(slow[0]) is list
    assert [x.dtype for x in fast[0]] == [x.dtype for x in slow[0]]


def test_a_subclass_keeps_its_own_samples():
    class Negated(D.TensorDataset):
        def __getitem__(self, i):
            return -super().__getitem__(i)[0]

    (batch,) = D.DataLoader(Negated(veem.arange(3)), batch_size=3)
    assert batch.tolist() == [0, -1, -2]

    class Fetching(D.TensorDataset):
        def __getitems__(self, indices):
            return [100 + i for i in indices]

    (batch,) = D.DataLoader(Fetching(veem.arange(3)), batch_size=3)
    assert batch.tolist() == [100, 101, 102]


def test_loader_without_batches():
    loader = D.DataLoader(Squares(3), batch_size=None)
    assert list(loader) == [[0, 0.0], [1, 1.0], [2, 4.0]] and len(loader) == 3


def test_loader_of_a_stream():
    loader = D.DataLoader(Stream(5), batch_size=2)
    assert plain(list(loader)) == plain(list(loader)) == [[0, 1], [2, 3], [4]]
    assert plain(list(D.DataLoader(Stream(5), 2, drop_last=True))) == [[0, 1], [2, 3]]
    assert list(D.DataLoader(Stream(3), None)) == [0, 1, 2]
    with pytest.raises(TypeError):
        len(loader)


def test_own_order():
    loader = D.DataLoader(Squares(9), batch_sampler=[[8, 1], [3]])
    assert plain(list(loader)) == [[[8, 1], [64, 1]], [[3], [9]]] and len(loader) == 2
    loader = D.DataLoader(Squares(9), 2, sampler=[4, 2, 0])
    assert plain([x for x, _ in loader]) == [[4, 2], [0]]
    assert D.DataLoader(Squares(2), 2, collate_fn=len).__iter__().__next__() == 2


def test_passes_do_not_disturb_each_other():
    loader = D.DataLoader(tensors(), batch_size=5, shuffle=True)
    first, second = iter(loader), iter(loader)
    assert len(first) == 2
    rows = [plain(next(it)[1]) for it in (first, second, first, second)]
    assert sorted(rows[0] + rows[2]) == sorted(rows[1] + rows[3]) == list(range(10))


REFUSED = [
    ({"num_workers": -1}, ValueError, "non-negative"),
    ({"timeout": -1}, ValueError, "timeout"),
    ({"prefetch_factor": 2}, ValueError, "num_workers > 0"),
    ({"num_workers": 1, "prefetch_factor": 0}, ValueError, "positive"),
    ({"persistent_workers": True}, ValueError, "num_workers > 0"),
    ({"multiprocessing_context": "fork"}, ValueError, "num_workers > 0"),
    ({"num_workers": 1, "multiprocessing_context": "no"}, ValueError, "start method"),
    ({"num_workers": 1, "multiprocessing_context": 1}, TypeError, "context object"),
    ({"batch_size": 0}, ValueError, "batch_size"),
    ({"shuffle": True, "sampler": [1]}, ValueError, "mutually exclusive with shuffle"),
    ({"batch_sampler": [[1]], "batch_size": 2}, ValueError, "batch_sampler option"),
    ({"batch_sampler": [[1]], "drop_last": True}, ValueError, "batch_sampler option"),
    ({"batch_size": None, "drop_last": True}, ValueError, "batch_size=None"),
]


@pytest.mark.parametrize("options, error, message", REFUSED)
def test_refused(options, error, message):
    with pytest.raises(error, match=message):
        D.DataLoader(Squares(3), **options)


def test_refused_later():
    loader = D.DataLoader(Squares(3), timeout=1)
    with pytest.raises(AssertionError, match="num_workers > 0"):
        iter(loader)
    for name in ("batch_size", "dataset", "sampler", "batch_sampler", "drop_last"):
        with pytest.raises(ValueError, match=f"{name} attribute should not be set"):
            setattr(loader, name, None)
    loader.timeout = 0
    assert len(list(loader)) == 3


def test_warnings():
    with pytest.warns(UserWarning, match="will create 1000 worker processes"):
        D.DataLoader(Squares(3), num_workers=1000)
    pinned = D.DataLoader(Squares(3), pin_memory=True)
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but"):
        assert len(list(pinned)) == 3
    pinned = D.DataLoader(Squares(3), pin_memory=True, pin_memory_device="cuda")
    with pytest.warns(UserWarning, match="pin_memory|pin_memory_device is deprecated"):
        iter(pinned)


def test_a_stream_longer_than_its_length():
    class Longer(Stream):
        def __len__(self):
            return 2

    loader = D.DataLoader(Longer(4), None)
    assert list(loader) == [0, 1, 2, 3] and len(loader) == 2
    with pytest.warns(UserWarning, match="reported to be 2 .* but [34] samples"):
        list(loader)
    assert len(D.DataLoader(Longer(4), 4)) == 1
    assert len(D.DataLoader(Longer(4), 4, drop_last=True)) == 0
    with pytest.raises(TypeError):
        len(iter(loader))


@pytest.mark.parametrize(
    "options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}]
)
def test_a_stream_has_its_own_order(options):
    with pytest.raises(ValueError, match="IterableDataset"):
        D.DataLoader(Stream(3), **options)
