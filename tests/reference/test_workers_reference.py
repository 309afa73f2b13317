"""DataLoader with 0, 1 and 2 workers beside PyTorch's: order, seeds, batches."""

import collections
import random
import warnings

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")
pytestmark = [
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]
Point = collections.namedtuple("Point", "x y")


def plain(v, batch):
    """Tensors as (dtype, shape, elements), in whatever structure, with its types."""
    if isinstance(batch, v.Tensor):
        return str(batch.dtype).split(".")[1], tuple(batch.shape), batch.tolist()
    if isinstance(batch, dict):
        return type(batch).__name__, {k: plain(v, x) for k, x in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch).__name__, [plain(v, x) for x in batch]
    return batch


def outcome(run):
    """What a program gives, or raises, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = run()
        except Exception as error:
            result = next(c for c in type(error).__mro__ if c.__module__ == "builtins")
    told = {"worker processes", "pin_memory", "was reported to be", "pin_memory_device"}
    return result, {t for t in told for w in caught if t in str(w.message)}


def both(run):
    results = []
    for v in (veem, torch):
        v.manual_seed(5)
        results.append(outcome(lambda v=v: run(v, v.utils.data)))
        results[-1] += (v.rand(2).tolist(),)  # and the stream goes on as it should
    return results


SAMPLES = {
    "tensors": lambda v: [v.arange(3) * i for i in range(7)],
    "numbers": lambda v: [(i, i / 2, i > 2, f"s{i}", b"b") for i in range(5)],
    "arrays": lambda v: [(np.full(2, i, np.uint8), np.float32(i)) for i in range(4)],
    "dicts": lambda v: [{"a": i, "b": [v.ones(2), "x"]} for i in range(4)],
    "ordered": lambda v: [collections.OrderedDict(k=i) for i in range(4)],
    "points": lambda v: [Point(i, v.full((2,), i)) for i in range(4)],
    "nested": lambda v: [[(i, [i, {"k": (i,)}])] for i in range(4)],
    "uneven": lambda v: [[1] * (1 + i) for i in range(4)],
    "objects": lambda v: [object()] * 3,
    "strings": lambda v: [np.array(["a"])] * 3,
    "none": lambda v: [],
}


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("name", SAMPLES)
def test_collation(name, workers):
    def run(v, D):
        out = []
        for size in (1, 3, None):
            loads = D.DataLoader(SAMPLES[name](v), size, num_workers=workers)
            out.append([plain(v, batch) for batch in loads])
        return out

    ours, theirs = both(run)
    assert ours == theirs


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("generator", [False, True])
@pytest.mark.parametrize("persistent", [False, True])
def test_order(workers, generator, persistent):
    def run(v, D):
        g = v.Generator().manual_seed(2) if generator else None
        options = {"num_workers": workers, "generator": g}
        options["persistent_workers"] = persistent and workers > 0
        loads = D.DataLoader(range(23), 4, True, **options)
        passes = [[b.tolist() for b in loads] for _ in range(2)]
        for _ in loads:  # given up, after what was taken ahead
            break
        passes += [[b.tolist() for b in loads]]
        drawn = D.RandomSampler(range(9), True, 70, generator=g)
        loads = D.DataLoader(range(9), 4, sampler=drawn, **options)
        return passes, [b.tolist() for b in loads], len(loads)

    ours, theirs = both(run)
    assert ours == theirs


def drawn(v):
    class Drawn:
        def __getitem__(self, i):
            info = v.utils.data.get_worker_info()
            numbers = v.rand(1).item(), random.random(), float(np.random.rand())  # noqa: NPY002
            return (info.id, info.num_workers, info.seed, numbers)

        def __len__(self):
            return 6

    return Drawn()


@pytest.mark.parametrize("workers", [1, 2])
def test_seeds(workers):
    def run(v, D):
        loads = D.DataLoader(drawn(v), None, num_workers=workers)
        return [list(loads) for _ in range(2)]

    ours, theirs = both(run)
    assert ours == theirs and len(ours[0][0]) == 6


def stream(v, n, shared, told):
    class Stream(v.utils.data.IterableDataset):
        def __iter__(self):
            info = v.utils.data.get_worker_info()
            if info is None or not shared:
                return iter(range(n))
            # The first gets more than its share.
            return iter(
                range(n)[: n * 2 // 3] if info.id == 0 else range(n)[n * 2 // 3 :]
            )

    if told is not None:
        Stream.__len__ = lambda self: told
    return Stream()


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("size", [None, 1, 3])
@pytest.mark.parametrize("shared", [False, True])
def test_streams(workers, size, shared):
    def run(v, D):
        out = []
        for drop_last in (False, True) if size else (False,):
            data = stream(v, 13, shared, 5)
            options = {"drop_last": drop_last, "num_workers": workers}
            loads = D.DataLoader(data, size, **options)
            out += [len(loads), [plain(v, b) for b in loads]]
        return out

    ours, theirs = both(run)
    assert ours == theirs


def fails(error):
    def collate(batch):
        raise error

    return collate


OPTIONS = [
    {"num_workers": -1},
    {"timeout": -1},
    {"timeout": 3},
    {"prefetch_factor": 2},
    {"num_workers": 1, "prefetch_factor": -1},
    {"persistent_workers": True},
    {"multiprocessing_context": "fork"},
    {"multiprocessing_context": "nothing", "num_workers": 1},
    {"multiprocessing_context": 3, "num_workers": 1},
    {"batch_size": 0},
    {"batch_size": 1.5},
    {"shuffle": True, "sampler": [1]},
    {"batch_size": None, "drop_last": True},
    {"batch_sampler": [[1]], "shuffle": True},
    {"pin_memory": True},
    {"pin_memory": True, "pin_memory_device": "cuda"},
    {"pin_memory": True, "num_workers": 1},
    {"num_workers": 1000, "sampler": [9]},
    {"num_workers": 1, "collate_fn": fails(KeyError("k"))},
    {"num_workers": 2, "collate_fn": fails(UnicodeDecodeError("a", b"", 1, 2, "s"))},
    {"num_workers": 1, "worker_init_fn": fails(ArithmeticError("init"))},
    {"num_workers": 2, "in_order": False, "batch_size": 5},
]


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_options(options):
    def run(v, D):
        if options.get("num_workers") == 1000:
            return D.DataLoader(range(5), **options).num_workers
        loads = D.DataLoader(range(5), **options)
        return [plain(v, b) for b in loads], loads.batch_size, loads.prefetch_factor

    ours, theirs = both(run)
    assert ours == theirs


DATASETS = {
    "distributed": lambda D, n: [
        list(D.DistributedSampler(range(n), 3, r, s, 7, d))
        for r in range(3)
        for s in (False, True)
        for d in (False, True)
    ],
    "stack": lambda D, n: list(
        D.DataLoader(D.StackDataset(a=range(n), b="x" * n), None)
    ),
    "concat": lambda D, n: [
        D.ConcatDataset([range(n), range(2)])[i] for i in (-1, n, 0)
    ],
    "subset": lambda D, n: D.Subset(range(n), [0, 1]).__getitems__([1, 0]),
    "fractions": lambda D, n: [
        list(part) for part in D.random_split(range(n), [0.5, 0.3, 0.2])
    ],
    "empty part": lambda D, n: [len(p) for p in D.random_split(range(n), [n, 0])],
    "wrong fractions": lambda D, n: D.random_split(range(n), [0.5, 0.6]),
    "wrong rank": lambda D, n: D.DistributedSampler(range(n), 2, 2),
    "no rank": lambda D, n: D.DistributedSampler(range(n)),
    "no datasets": lambda D, n: D.StackDataset(),
    "two kinds": lambda D, n: D.StackDataset(range(n), b=range(n)),
    "lengths": lambda D, n: D.StackDataset(range(n), range(n + 1)),
}


@pytest.mark.parametrize("n", [2, 10, 12])
@pytest.mark.parametrize("name", DATASETS)
def test_datasets(name, n):
    ours, theirs = both(lambda v, D: DATASETS[name](D, n))
    assert ours == theirs
