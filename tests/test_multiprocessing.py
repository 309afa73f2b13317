"""Tensors whose memory several processes see."""

import gc
import multiprocessing
import os
import pathlib
import pickle
import signal
import threading
import time

import numpy as np
import pytest

import veem
import veem.multiprocessing as mp

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def add_one(x, done=None):
    x.add_(1)
    if done is not None:
        done.put(x)


def serve(inbox, outbox):
    """Adds 1 to each tensor, in place, and sends it back, until there is None."""
    while (x := inbox.get()) is not None:
        x.detach().add_(1)
        outbox.put(x)
    outbox.put(None)


def run(context, target, *args):
    process = mp.get_context(context).Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_processes_change_the_same_elements(context):
    x = veem.zeros(3, 4)
    row, before = x[1], x.numpy()
    assert not x.is_shared() and not row.is_shared()
    assert x.share_memory_() is x and x.is_shared() and row.is_shared()
    run(context, add_one, row)
    assert x.tolist() == [[0.0] * 4, [1.0] * 4, [0.0] * 4]
    assert before.sum() == 0  # NumPy's array keeps the old memory, alive
    x.share_memory_()[0] = 5
    assert row.tolist() == [1.0] * 4 and x.sum().item() == 24


def test_a_model_is_trained_by_another_process():
    model = veem.nn.Linear(2, 2)
    assert model.share_memory() is model
    assert all(p.is_shared() and p.requires_grad for p in model.parameters())
    expected = model.weight.detach() + 1
    run("fork", add_one, model.weight.detach())
    assert model.weight.tolist() == expected.tolist()


def test_tensors_through_queues():
    context = mp.get_context("spawn")
    inbox, outbox = context.Queue(), context.Queue()
    process = context.Process(target=serve, args=(inbox, outbox))
    process.start()
    whole = veem.arange(6.0).view(2, 3)
    sent = [whole[:, 1], veem.ones(2, dtype=veem.int8), veem.nn.Parameter(veem.ones(2))]
    sent.append(veem.ones(3, requires_grad=True))
    for x in sent:
        inbox.put(x)
        y = outbox.get(timeout=60)
        assert type(y) is type(x) and y.requires_grad == x.requires_grad
        assert x.is_shared() and x.stride() == y.stride() and x.tolist() == y.tolist()
        y.detach().add_(1)
        assert x.tolist() == y.tolist()
    assert whole[:, 1].tolist() == [3.0, 6.0] and whole.is_shared()
    inbox.put(veem.zeros(0, 2))
    assert outbox.get(timeout=60).shape == (0, 2)
    inbox.put(None)
    assert outbox.get(timeout=60) is None
    process.join(60)


def test_a_tensor_with_a_history_stays():
    x = veem.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="detach"):
        multiprocessing.reduction.ForkingPickler.dumps(x)
    assert pickle.loads(pickle.dumps(x.detach())).tolist() == [2.0, 2.0]


def test_memory_and_descriptors_go_back():
    folder = pathlib.Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("asks /proc which files are open")
    gc.collect()
    before, live = len(os.listdir(folder)), veem._core.memory_stats("cpu")["live"]
    for _ in range(3):
        kept = [veem.ones(1000).share_memory_() for _ in range(20)]
        views = [x[:10] for x in kept]
        assert len(os.listdir(folder)) == before + 20
        del kept, views
        gc.collect()
        assert len(os.listdir(folder)) == before
    assert veem._core.memory_stats("cpu")["live"] == live
    assert not any("veem" in name for name in os.listdir("/dev/shm"))


def test_messages_beside_a_connection():
    ours, theirs = mp.Pipe()
    sent = {"x": veem.arange(5), "n": np.arange(2), "s": "text", "e": veem.zeros(0)}
    mp.send(ours, sent)
    got = mp.receive(theirs)
    assert got["x"].tolist() == [0, 1, 2, 3, 4] and got["x"].is_shared()
    assert got["s"] == "text" and got["n"].tolist() == [0, 1] and got["e"].shape == (0,)
    got["x"].share_memory_().add_(1)  # what has no descriptor any more gets a new one
    mp.send(ours, got["x"])
    assert mp.receive(theirs).tolist() == [1, 2, 3, 4, 5]
    with pytest.raises((AttributeError, pickle.PicklingError)):
        mp.send(ours, lambda: 0)
    mp.send(ours, 1)
    assert mp.receive(theirs) == 1
    ours.close()
    with pytest.raises(EOFError):
        mp.receive(theirs)
    theirs.close()


def test_segments_are_used_again_when_their_receiver_is_done():
    ours, theirs = mp.Pipe()
    segments = mp.Segments()

    def passed(n):
        mp.send(ours, veem.full((1000,), n), segments)
        return mp.receive(theirs)

    first = passed(1)
    view = first.numpy()[5:]
    second, third = passed(2), passed(3.0)
    del first, second
    assert passed(4)[0].item() == 4  # in the second's memory
    assert view.tolist() == [1] * 995 and third.tolist() == [3.0] * 1000
    assert len(segments._kept) == 3
    child = os.fork()  # which goes on to see what we let go of
    if child == 0:
        del third
        os._exit(0)
    os.waitpid(child, 0)
    del third, view
    before = list(segments._kept)
    assert [veem._core.loan(x) for x in before] == ["kept", "free", "kept"]
    kept = [passed(n) for n in range(100)]
    assert before[0].tolist() == [1] * 1000 and before[2].tolist() == [3.0] * 1000
    assert [x[0].item() for x in kept] == list(range(100))
    assert len(segments._kept) <= 65
    del kept
    assert passed(0).tolist() == [0] * 1000
    ours.close()
    theirs.close()


@pytest.mark.skipif(not os.path.exists("/proc/meminfo"), reason="no Linux")
def test_more_memory_than_there_is():
    """Asking for it must not reach the system, which would kill processes for it."""
    with pytest.raises(MemoryError, match="no segment of"):
        veem._core.empty_shared(1 << 60, veem.uint8)
    with pytest.raises(MemoryError, match="no segment of"):
        veem._core.empty_shared(1 << 45, veem.uint8)


def test_too_many_open_files():
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)  # the lowest that is free
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 10, limits[1]))
    try:
        with pytest.raises(RuntimeError, match="ulimit -n"):
            kept = [veem.ones(2).share_memory_() for _ in range(50)]  # noqa: F841
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def compute_and_leave():
    veem.manual_seed(0)
    x = veem.ones(300, 300)
    right = (x @ x).sum().item() == 300**3 and veem.randn(200_000).sum().item() < 1e4
    os._exit(0 if right else 1)


def test_a_fork_amid_the_work_of_other_threads_can_compute():
    stop = threading.Event()

    def work(f):
        while not stop.is_set():
            f()

    x = veem.randn(300, 300)
    busy = [lambda: x @ x, lambda: veem.randn(200_000), lambda: veem.ones(50_000) + 1]
    threads = [threading.Thread(target=work, args=(f,)) for f in busy]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                compute_and_leave()
            end = time.monotonic() + 20
            while (status := os.waitpid(child, os.WNOHANG))[0] == 0:
                if time.monotonic() > end:
                    os.kill(child, signal.SIGKILL)
                time.sleep(0.001)
            assert status[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
