"""The worker processes of a DataLoader, as the main process sees them."""

import collections
import contextlib
import itertools
import os
import pickle
import selectors
import signal
import time
import warnings
import weakref
from multiprocessing.connection import wait

from veem import multiprocessing
from veem.utils.data.worker import POLL, End, Failure, work

GRACE = 5.0  # seconds in which a worker may finish what it is doing


class Workers:
    """Processes that turn tasks into batches, and the connections to them."""

    def __init__(self, count, context, base_seed, recipe, init_fn):
        self._processes, self._tasks, self._results = [], [], []
        self._wait = selectors.PollSelector()
        self._ready = collections.deque()  # who has results, in turn
        everything = (self._processes, self._tasks, self._results)
        self._stop = weakref.finalize(self, _stop, os.getpid(), *everything)
        self._stop.atexit = False  # there multiprocessing ends its daemons
        context = context or multiprocessing
        with _without_interrupts():
            for i in range(count):
                self._start(context, (i, count, base_seed, recipe, init_fn))

    def _start(self, context, arguments):
        i = len(self._processes)
        their_tasks, tasks = context.Pipe(duplex=False)
        results, their_results = context.Pipe()
        self._tasks.append(tasks)
        self._results.append(results)
        # A forked process has our ends too, and would not see them closed by our death.
        forked = context.get_start_method() == "fork"
        ours = [*self._tasks, *self._results] if forked else []
        process = context.Process(
            target=work,
            args=(*arguments, their_tasks, their_results, ours),
            daemon=True,
        )
        try:
            process.start()
        except (TypeError, AttributeError, pickle.PicklingError):
            self.stop()
            warnings.warn(
                "a DataLoader worker could not be started: spawn and forkserver pickle "
                "dataset, collate_fn and worker_init_fn, which cannot be lambdas or "
                "defined within functions then; or use multiprocessing_context='fork'",
                stacklevel=6,
            )
            raise
        finally:
            their_tasks.close()
            their_results.close()
        self._processes.append(process)
        self._wait.register(results, selectors.EVENT_READ, (i, True))
        self._wait.register(process.sentinel, selectors.EVENT_READ, (i, False))

    @property
    def running(self):
        return self._stop.alive

    def stop(self):
        """Ends the processes: those that work may finish, for a while."""
        self._wait.close()
        self._stop()

    def send(self, worker, task):
        with contextlib.suppress(ConnectionError):  # receive() finds it dead
            self._tasks[worker].send(task)

    def receive(self, timeout):
        """The next result of any worker, as (worker, result).

        timeout: in seconds, 0 for none. RuntimeError when the time is over, or when a
        worker has died.
        """
        end = time.monotonic() + timeout if timeout else float("inf")
        while not self._ready:
            left = end - time.monotonic()
            if left <= 0:
                raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
            events = [key.data for key, _ in self._wait.select(min(left, POLL))]
            self._ready += [worker for worker, has_result in events if has_result]
            if events and not self._ready:
                self._raise_dead(*(worker for worker, _ in events))
        worker = self._ready.popleft()
        return worker, self._read(worker)

    def _read(self, worker):
        try:
            return multiprocessing.receive(self._results[worker])
        except (EOFError, ConnectionError):
            self._raise_dead(worker)
        except BaseException:  # half of a message may be left: nothing can follow
            self.stop()
            raise

    def _raise_dead(self, *known):
        """RuntimeError naming the processes that have ended, and how."""
        for worker in known:  # it lets go of its connections, so it is about to
            self._processes[worker].join(GRACE)
        dead = [p for p in self._processes if not p.is_alive()]
        dead = dead or [self._processes[worker] for worker in known]
        pids = ", ".join(str(p.pid) for p in dead)
        how = ", ".join(sorted({_how(p.exitcode) for p in dead}))
        self.stop()
        raise RuntimeError(
            f"DataLoader worker (pid(s) {pids}) exited unexpectedly: {how}; "
            "num_workers=0 runs its code in this process, where errors show themselves"
        )


def _how(exitcode):
    if exitcode is None:
        return "its connection was closed"
    if exitcode >= 0:
        guard = " (a script that spawns needs `if __name__ == '__main__':`)"
        return f"exit code {exitcode}{guard if exitcode == 1 else ''}"
    memory = ", perhaps for want of memory" if exitcode == -signal.SIGKILL else ""
    return f"killed by {signal.Signals(-exitcode).name}{memory}"


@contextlib.contextmanager
def _without_interrupts():
    """Ctrl-C waits, here and in the processes started, which undo that themselves."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop(owner, processes, tasks, results):
    if os.getpid() != owner:  # a fork of the process that they belong to
        return
    for connection in tasks:
        with contextlib.suppress(OSError):
            connection.send(None)
    end = time.monotonic() + GRACE
    for process, connection in zip(processes, results):
        while process.is_alive() and time.monotonic() < end:
            # What it has to say goes unheard, but it must not wait to be heard.
            ready = wait([process.sentinel, connection], 0.1)
            if connection in ready:
                with contextlib.suppress(Exception):
                    multiprocessing.receive(connection)
    for process in processes:
        if process.is_alive():
            process.terminate()
            process.join(1)
        if process.is_alive():
            process.kill()
        process.join()
    for connection in [*tasks, *results]:
        connection.close()


class WorkerPass:
    """Passes over the data, one at a time: more than one with persistent workers.

    Tasks go round the workers, prefetch_factor to each ahead of time; their batches
    come back in the order of the tasks, or as they are ready.
    """

    def __init__(self, loader, base_seed):
        self._count = loader.num_workers
        self._ahead = loader.prefetch_factor * loader.num_workers
        self._in_order, self._timeout = loader.in_order, loader.timeout
        self._persistent = loader.persistent_workers
        self._passes = 0
        self._workers = Workers(
            loader.num_workers,
            loader.multiprocessing_context,
            base_seed,
            loader._recipe,
            loader.worker_init_fn,
        )

    @property
    def running(self):
        return self._workers.running

    def begin(self, indices):
        """A new pass; what is under way of an old one is forgotten."""
        self._passes += 1
        self._indices = indices
        self._numbers = itertools.count()
        self._turns = itertools.cycle(range(self._count))
        self._load = [0] * self._count  # tasks that a worker has
        self._active = [True] * self._count
        self._given = {}  # number of a task -> its worker, in the order of numbers
        self._arrived = {}  # number of a task -> its outcome
        for _ in range(self._ahead):
            self._give()

    def _give(self):
        """Sends the sampler's next indices to the worker whose turn it is."""
        if not any(self._active):
            return
        try:
            indices = next(self._indices)
        except StopIteration:
            return
        worker = self._next_worker()
        number = next(self._numbers)
        self._given[number] = worker
        self._load[worker] += 1
        self._workers.send(worker, (self._passes, number, indices))

    def _next_worker(self):
        share = self._ahead // sum(self._active)
        for worker in itertools.islice(self._turns, self._count):
            free = self._in_order or self._load[worker] < share
            if self._active[worker] and free:
                return worker
        return next(w for w in self._turns if self._active[w])

    def next(self):
        """The next batch; StopIteration at the end, or the exception of a worker."""
        while self._given:
            first = next(iter(self._given))
            ready = first if self._in_order else next(iter(self._arrived), first)
            if ready in self._arrived:
                return self._finish(ready)
            self._receive()
        if not self._persistent:
            self._workers.stop()
        raise StopIteration

    def _finish(self, number):
        outcome = self._arrived.pop(number)
        self._load[self._given.pop(number)] -= 1
        self._give()
        if isinstance(outcome, Failure):
            raise outcome.exception()
        return outcome

    def _receive(self):
        if not self.running:
            raise RuntimeError("the workers of this DataLoader's pass were stopped")
        worker, result = self._workers.receive(self._timeout)
        number_of_pass, number, outcome = result
        if number_of_pass != self._passes:
            return
        if not isinstance(outcome, End):
            self._arrived[number] = outcome
            return
        self._active[worker] = False
        for n in [n for n, w in self._given.items() if w == worker]:
            if n not in self._arrived:  # it will not answer these
                del self._given[n]
        self._give()
