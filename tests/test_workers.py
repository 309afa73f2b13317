"""DataLoader with worker processes: order, seeds, errors, and that nothing is left.

Datasets stand at the top of the module, where spawned processes find them.
"""

import collections
import gc
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import pathlib
import pickle
import random
import re
import signal
import threading
import time

import numpy as np
import pytest

import veem
from veem.utils import data as D
from veem.utils.data import workers as workers_module

pytestmark = [
    # Which Python gives from 3.12 on, wherever a process with threads forks.
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
    # Two workers, and a machine that has but one processor.
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]
Point = collections.namedtuple("Point", "x y")


class Squares(D.Dataset):
    def __init__(self, n):
        self.n = n

    def __getitem__(self, i):
        return veem.full((3,), float(i)), i * i

    def __len__(self):
        return self.n


class Drawn(D.Dataset):
    """What the random streams of a worker give first."""

    def __getitem__(self, i):
        info = D.get_worker_info()
        drawn = veem.rand(1).item(), random.random(), np.random.rand()  # noqa: NPY002
        return info.id, info.num_workers, info.seed, *drawn

    def __len__(self):
        return 2


class Shares(D.IterableDataset):
    """0, 1, ...: each worker its part, or all of it."""

    def __init__(self, n, shared=True):
        self.n, self.shared = n, shared

    def __iter__(self):
        info = D.get_worker_info()
        if info is None or not self.shared:
            return iter(range(self.n))
        return iter(range(info.id, self.n, info.num_workers))

    def __len__(self):
        return self.n


class Mixed(D.Dataset):
    def __getitem__(self, i):
        array = np.full(2, i, np.int16)
        return {"a": array, "p": Point(veem.ones(i + 1).sum(), "s"), "n": [1.5, b"x"]}

    def __len__(self):
        return 4


class Strange(ValueError):
    def __init__(self, two, arguments):
        super().__init__(two, arguments)


class Fails(Squares):
    def __init__(self, error, at=2):
        super().__init__(4)
        self.error, self.at = error, at

    def __getitem__(self, i):
        if i == self.at:
            raise self.error
        return i


class Acts(D.Dataset):
    """Does something to its process at sample 3."""

    def __init__(self, act):
        self.act = act

    def __getitem__(self, i):
        if i == 3:
            self.act()
        return os.getpid()

    def __len__(self):
        return 8


def hang_up():
    os.closerange(3, 1000)


def kill_myself():
    os.kill(os.getpid(), signal.SIGKILL)


def leave():
    os._exit(7)


def sleep():
    time.sleep(60)


def no_init(worker):
    raise ZeroDivisionError(f"init of {worker}")


def loader(dataset, *args, workers=2, **options):
    options.setdefault("multiprocessing_context", "fork")
    return D.DataLoader(dataset, *args, num_workers=workers, **options)


def plain(batch):
    if isinstance(batch, veem.Tensor):
        return batch.tolist()
    if isinstance(batch, dict):
        return {k: plain(v) for k, v in batch.items()}
    return [plain(b) for b in batch] if isinstance(batch, (list, tuple)) else batch


def segments():
    folder = pathlib.Path("/dev/shm")
    return set(folder.iterdir()) if folder.is_dir() else set()


@pytest.fixture(scope="module", autouse=True)
def helpers_of_python():
    """The processes that Python keeps for spawn and forkserver, with their files."""
    multiprocessing.resource_tracker.ensure_running()
    multiprocessing.forkserver.ensure_running()


@pytest.fixture(autouse=True)
def nothing_left():
    """No process, no descriptor, no shared memory outlives a test."""
    gc.collect()  # what other tests have left
    before = segments()
    files = pathlib.Path("/proc/self/fd")
    opened = len(os.listdir(files)) if files.is_dir() else 0
    yield
    gc.collect()
    assert multiprocessing.active_children() == []
    assert segments() == before
    assert not opened or len(os.listdir(files)) <= opened


# ---- batches ------------------------------------------------------------------------


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_batches_arrive_in_order_in_shared_memory(context):
    batches = list(loader(Squares(7), 2, multiprocessing_context=context))
    assert [y.tolist() for _, y in batches] == [[0, 1], [4, 9], [16, 25], [36]]
    assert [x.shape for x, _ in batches] == [(2, 3)] * 3 + [(1, 3)]
    assert batches[2][0].tolist() == [[4.0] * 3, [5.0] * 3]
    assert all(x.is_shared() and y.is_shared() for x, y in batches)
    batches[0][0].add_(1)  # they are ours to change
    assert batches[0][0][0].tolist() == [1.0] * 3


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_as_without_workers(workers, shuffle):
    table = D.TensorDataset(veem.arange(22).view(11, 2), veem.arange(11))
    results = []
    for n in (0, workers):
        veem.manual_seed(4)
        context = "fork" if n else None
        loads = loader(table, 3, shuffle, workers=n, multiprocessing_context=context)
        results.append(([plain(list(loads)) for _ in range(2)], veem.rand(1).item()))
        assert len(loads) == len(iter(loads)) == 4
    assert results[0] == results[1]


def test_structures_strides_and_empty_tensors():
    ours, theirs = (list(loader(Mixed(), 1, workers=n)) for n in (1, 2))
    expected = [D.default_collate([Mixed()[i]]) for i in range(4)]
    assert plain(ours) == plain(theirs) == plain(expected)
    assert type(ours[0]["p"]) is Point and ours[0]["a"].dtype == veem.int16

    rows = veem.arange(12.0).view(3, 4)
    views = [rows.T, rows[:, ::2], rows[1], rows[:0], veem.ones(1).expand(1000, 9)]
    views += [rows.bfloat16(), rows > 3, veem.tensor(7), rows.clone().requires_grad_()]
    (batch,) = loader([views], None, workers=1, collate_fn=list)
    for x, y in zip(views, batch):
        assert x.dtype == y.dtype and x.shape == y.shape and x.tolist() == y.tolist()
        assert x.requires_grad == y.requires_grad
    assert batch[0].stride() == rows.T.stride() and batch[4].stride() == (0, 0)


def test_many_tensors_in_a_batch_and_many_batches_kept():
    many = loader([[veem.tensor(i) for i in range(700)]], None, workers=1)
    (batch,) = many
    assert [x.item() for x in batch] == list(range(700))
    kept = list(loader(range(1500), None, collate_fn=veem.tensor))
    assert [x.item() for x in kept] == list(range(1500))


@pytest.mark.parametrize("context", ["spawn", "forkserver"])
def test_a_dataset_of_tensors_is_not_copied_to_spawned_workers(context):
    rows = veem.arange(6.0).view(3, 2)
    table = D.TensorDataset(rows)
    loads = loader(table, 3, multiprocessing_context=context, workers=1)
    batches = iter(loads)
    assert rows.is_shared() and next(batches)[0].tolist() == rows.tolist()


def test_single_samples_and_own_orders():
    assert list(loader(range(5), None)) == [0, 1, 2, 3, 4]
    batches = loader(range(9), batch_sampler=[[8, 1], [3]])
    assert plain(list(batches)) == [[8, 1], [3]]
    weighted = D.WeightedRandomSampler([0, 1, 0], 4)
    assert plain(list(loader(range(3), 2, sampler=weighted))) == [[1, 1], [1, 1]]
    assert list(loader(range(0), 2)) == []


def test_as_they_are_ready():
    gate = multiprocessing.get_context("fork").Event()
    pids = []
    for pid in loader(Acts(gate.wait), None, in_order=False):
        pids.append(pid)
        if len(pids) == 6:  # the other two are with the worker that waits
            gate.set()
    assert len(pids) == 8 and pids[6] == pids[7] and pids[:6].count(pids[7]) <= 1


# ---- streams ------------------------------------------------------------------------


def test_iterable_dataset():
    assert plain(list(loader(Shares(7), 2))) == [[0, 2], [1, 3], [4, 6], [5]]
    assert plain(list(loader(Shares(7), 2, drop_last=True))) == [[0, 2], [1, 3], [4, 6]]
    assert list(loader(Shares(5), None)) == [0, 1, 2, 3, 4]
    assert sorted(loader(Shares(5), None, in_order=False)) == [0, 1, 2, 3, 4]
    both = [*map(int, loader(Shares(2, shared=False), None))]
    assert both == [0, 0, 1, 1]


def test_longer_than_it_said():
    twice = loader(Shares(2, shared=False), None)
    assert len(twice) == 2
    with pytest.warns(UserWarning, match="was reported to be 2.*get_worker_info"):
        assert len(list(twice)) == 4


# ---- workers ------------------------------------------------------------------------


@pytest.mark.parametrize("persistent", [False, True])
def test_seeds(persistent):
    veem.manual_seed(7)
    base = veem.empty((), dtype=veem.int64).random_().item()
    veem.manual_seed(7)
    loads = loader(Drawn(), None, persistent_workers=persistent)
    first, second = list(loads)
    assert first[:3] == [0, 2, base] and second[:3] == [1, 2, base + 1]
    for _, _, seed, *drawn in (first, second):
        g = veem.Generator().manual_seed(seed)
        assert drawn[:2] == [
            veem.rand(1, generator=g).item(),
            random.Random(seed).random(),
        ]
    assert first[5] != second[5] and first[5] != first[4]
    again = list(loads)
    assert (again[0][2] == base) == persistent
    del loads
    assert D.get_worker_info() is None


def test_worker_init_fn_and_the_copy_of_the_dataset():
    def init(worker):
        D.get_worker_info().dataset.n = 10 * (worker + 1)

    assert list(loader(Shares(1, shared=False), None, worker_init_fn=init))[:2] == [
        0,
        0,
    ]
    lengths = collections.Counter(
        map(int, loader(Shares(1, shared=False), None, worker_init_fn=init))
    )
    assert lengths[9] == 2 and lengths[19] == 1


def test_persistent_workers_stay_and_forget_a_pass_that_was_given_up():
    stay = loader(Acts(int), None, persistent_workers=True)
    first = set(stay)
    assert set(stay) == first and len(first) == 2
    for _ in stay:
        break
    assert len(list(stay)) == 8 and set(stay) == first
    pids = {p.pid for p in multiprocessing.active_children()}
    assert pids == first
    del stay
    assert multiprocessing.active_children() == []


def test_workers_end_with_the_pass_and_with_its_iterator():
    pass_ = iter(loader(Squares(100)))
    next(pass_)
    assert len(multiprocessing.active_children()) == 2
    del pass_
    assert multiprocessing.active_children() == []
    pass_ = iter(loader(Squares(2)))
    assert len(list(pass_)) == 2
    assert multiprocessing.active_children() == []
    assert next(pass_, "end") == "end"


def test_workers_stop_though_nobody_hears_their_results():
    big = ["x" * 3_000_000] * 8  # more than a connection holds
    pass_ = iter(loader(big, None))
    next(pass_)
    processes = multiprocessing.active_children()
    del pass_
    assert [process.exitcode for process in processes] == [0, 0]


def test_in_another_thread():
    found = []
    run = lambda: found.extend(loader(range(3), None, timeout=30))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [0, 1, 2]


def test_large_tasks_and_large_results_do_not_wait_for_each_other():
    batches = [list(range(200_000))] * 8
    for n in map(len, loader(range(200_000), batch_sampler=batches, collate_fn=list)):
        assert n == 200_000


def test_a_worker_computes_with_one_thread_or_more():
    def threads_of(_):
        before = veem.get_num_threads()
        veem.set_num_threads(3)
        x = veem.ones(400, 400)
        return before, (x @ x).sum().item()

    assert list(loader(range(2), None, collate_fn=threads_of)) == [(1, 400**3)] * 2


# ---- errors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error, kind",
    [
        (ValueError("bad sample"), ValueError),
        (KeyError("missing"), KeyError),
        (Strange("bad", "sample"), RuntimeError),
        (type("Local", (Exception,), {})("bad sample"), RuntimeError),
    ],
)
def test_an_error_arrives_with_its_traceback(error, kind):
    batches = iter(loader(Fails(error), None))
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(kind) as caught:
        next(batches)
    text = str(caught.value)
    assert text.startswith(
        f"Caught {type(error).__name__} in DataLoader worker process 0"
    )
    assert "Traceback (most recent call last)" in text and "raise self.error" in text
    assert str(error) in text
    assert next(batches) == 3  # and the pass goes on


def test_errors_before_and_after_the_samples():
    with pytest.raises(ZeroDivisionError, match="init of 0"):
        list(loader(Squares(3), worker_init_fn=no_init))
    with pytest.raises((AttributeError, TypeError, RuntimeError), match="pickle"):
        list(loader(range(3), None, collate_fn=lambda x: lambda: x))
    graph = veem.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="detach"):
        list(loader([graph], None))


@pytest.mark.parametrize(
    "act, how",
    [
        (kill_myself, "killed by SIGKILL"),
        (leave, "exit code 7"),
        (hang_up, "exit code 1|connection was closed"),
    ],
)
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_dead_worker_is_named(act, how, context):
    batches = iter(loader(Acts(act), None, multiprocessing_context=context))
    pids = {process.pid for process in multiprocessing.active_children()}
    with pytest.raises(RuntimeError, match=f"exited unexpectedly: ({how})") as error:
        list(batches)
    assert int(re.search(r"pid\(s\) (\d+)\)", str(error.value))[1]) in pids
    assert multiprocessing.active_children() == []
    with pytest.raises(RuntimeError, match="stopped"):
        next(batches)


def test_workers_killed_from_outside():
    stay = loader(Squares(60), None, persistent_workers=True)
    batches = iter(stay)
    next(batches)
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(RuntimeError, match="exited unexpectedly: killed by SIGKILL"):
        list(batches)
    assert len(list(stay)) == 60  # with new ones


def test_timeout(monkeypatch):
    monkeypatch.setattr(workers_module, "GRACE", 0.2)
    with pytest.raises(RuntimeError, match="timed out after 0.5 seconds"):
        list(loader(Acts(sleep), None, timeout=0.5, persistent_workers=True))


def test_what_cannot_be_spawned():
    loads = loader(Squares(2), collate_fn=lambda x: x, multiprocessing_context="spawn")
    errors = (AttributeError, pickle.PicklingError)
    with pytest.warns(UserWarning, match="lambdas"), pytest.raises(errors):
        list(loads)
