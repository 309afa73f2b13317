"""torch.multiprocessing: veem's, and spawn."""

from veem import multiprocessing as _processes


class ProcessRaisedException(Exception):
    """A process that spawn started ended with an exception or another status."""


ProcessExitedException = ProcessRaisedException


def get_all_sharing_strategies():
    """The only way there is."""
    return {"file_system"}


def get_sharing_strategy():
    """The only way there is."""
    return "file_system"


def set_sharing_strategy(new_strategy):
    """Accepts the only way there is."""
    if new_strategy not in ("file_system", "file_descriptor"):
        raise AssertionError(f"invalid sharing strategy {new_strategy!r}")


class SpawnContext:
    """The processes that spawn(join=False) started."""

    def __init__(self, processes):
        self.processes = processes

    def pids(self):
        return [process.pid for process in self.processes]

    def join(self, timeout=None):
        """Waits for all; True when they are done, and raises if one failed."""
        for process in self.processes:
            process.join(timeout)
        failed = [p for p in self.processes if p.exitcode]
        for process in failed and self.processes:
            process.terminate()
        if failed:
            raise ProcessRaisedException(
                f"process {self.processes.index(failed[0])} terminated with exit code "
                f"{failed[0].exitcode}; its traceback is above"
            )
        return all(p.exitcode is not None for p in self.processes)


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Runs fn(i, *args) in nprocs processes, i from 0; waits for them if join."""
    context = _processes.get_context(start_method)
    processes = [
        context.Process(target=fn, args=(i, *args), daemon=daemon)
        for i in range(nprocs)
    ]
    for process in processes:
        process.start()
    started = SpawnContext(processes)
    if not join:
        return started
    while not started.join():
        pass
    return None
