"""What runs in a worker process of a DataLoader."""

import dataclasses
import os
import queue
import random
import signal
import threading
import traceback
import typing

import numpy as np

import veem
from veem import multiprocessing
from veem.utils.data.dataset import IterableDataset
from veem.utils.data.fetch import fetcher

POLL = 5.0  # seconds between two looks whether the other side is alive


@dataclasses.dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is, of how many; its seed; its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: typing.Any


_info = None


def get_worker_info():
    """The WorkerInfo of this process; None where it is no worker of a DataLoader."""
    return _info


class End:
    """In place of a batch: the worker's share of an iterable dataset is used up."""


class Failure:
    """In place of a batch: an exception, on its way with its traceback as text."""

    def __init__(self, error, worker):
        self.kind, name = type(error), type(error).__name__
        text = "".join(
            traceback.format_exception(type(error), error, error.__traceback__)
        )
        self.text = (
            f"Caught {name} in DataLoader worker process {worker}.\nOriginal {text}"
        )
        try:  # a class that the other process can find too?
            multiprocessing.reduction.ForkingPickler.dumps(self.kind)
        except Exception:
            self.kind = RuntimeError

    def exception(self):
        """An exception of that type; RuntimeError where it cannot be made of a text."""
        text = _Text(self.text) if issubclass(self.kind, KeyError) else self.text
        try:
            return self.kind(text)
        except Exception:
            return RuntimeError(self.text)


class _Text(str):
    """A KeyError shows the repr of what it was made of."""

    def __repr__(self):
        return str(self)


def work(worker, workers, base_seed, recipe, init_fn, tasks, results, others):
    """Makes batches until told to stop.

    tasks: a connection that gives (pass, number, what the sampler gave), or None to
    stop. results: takes (number of the pass, number, batch or Failure or End). others:
    connections that are the main process's, to close.
    """
    # The main process alone answers Ctrl-C; it started this one with the signal held.
    # It is not ignored, as programs that a dataset starts would inherit that.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for connection in others:
        connection.close()
    inbox, send = _Inbox(tasks), _sender(results, worker)
    _seed(base_seed, worker)
    veem.set_num_threads(1)  # the workers are the threads
    global _info
    _info = WorkerInfo(worker, workers, base_seed + worker, recipe[0])
    failed = fetch = current = None
    if init_fn is not None:
        try:
            init_fn(worker)
        except Exception as error:
            failed = Failure(error, worker)
    while (task := inbox.get()) is not None:
        number_of_pass, number, indices = task
        if number_of_pass < inbox.latest:  # of a pass that was given up
            continue
        try:
            if failed is None and current != number_of_pass:
                current, fetch = number_of_pass, fetcher(*recipe)
            outcome = failed or fetch(indices)
        except StopIteration as error:
            stream = isinstance(recipe[0], IterableDataset)
            outcome = End() if stream else Failure(error, worker)
        except Exception as error:
            outcome = Failure(error, worker)
        try:
            send((number_of_pass, number), outcome)
        except ConnectionError:  # nobody listens any more
            return
        del task, indices, outcome  # before waiting for the next


def _sender(results, worker):
    """A function that sends the outcome of a task."""
    segments = multiprocessing.Segments()

    def send(address, outcome):
        try:
            multiprocessing.send(results, (*address, outcome), segments)
        except ConnectionError:
            raise
        except Exception as error:  # it cannot be pickled
            multiprocessing.send(results, (*address, Failure(error, worker)))

    return send


def _seed(base_seed, worker):
    random.seed(base_seed + worker)
    veem.manual_seed(base_seed + worker)
    # NumPy has the generator that `random` has: other words, or both drew the same.
    words = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))  # noqa: NPY002


class _Inbox:
    """Tasks, taken in by a thread, so that the main process never waits to send one.

    The thread ends the process at once when the main process is gone.
    """

    def __init__(self, tasks):
        self.latest = 0  # the newest pass that any task belongs to
        self._tasks, self._queue = tasks, queue.SimpleQueue()
        self.get = self._queue.get
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        parent = os.getppid()
        try:
            while True:
                while not self._tasks.poll(POLL):
                    if os.getppid() != parent:
                        os._exit(1)
                task = self._tasks.recv()
                if task is not None:
                    self.latest = task[0]
                self._queue.put(task)
                if task is None:
                    return
        except (EOFError, OSError):
            os._exit(1)
