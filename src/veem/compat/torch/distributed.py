"""torch.distributed: groups of one process, in which all is the process's own.

With more processes it is refused: veem has no communication.
"""

import os

import veem

_group = None


class ReduceOp:
    """How all_reduce combines; one value stays what it is."""

    SUM, PRODUCT, MIN, MAX, AVG = "sum", "product", "min", "max", "avg"


def is_available():
    """True, for groups of one process."""
    return True


def is_initialized():
    """Has init_process_group been called?"""
    return _group is not None


def is_nccl_available():
    """False."""
    return False


is_gloo_available = is_mpi_available = is_torchelastic_launched = is_nccl_available


def init_process_group(backend=None, init_method=None, **kwargs):
    """Makes a group of world_size 1; more are refused.

    rank and world_size are arguments, or RANK and WORLD_SIZE of the environment.
    """
    global _group
    if _group is not None:
        raise ValueError("trying to initialize the default process group twice!")
    size = kwargs.get("world_size", -1)
    if size in (None, -1):
        for name in ("RANK", "WORLD_SIZE"):
            if init_method in (None, "env://") and name not in os.environ:
                raise ValueError(
                    "Error initializing torch.distributed using env:// rendezvous: "
                    f"environment variable {name} expected, but not set"
                )
        size = int(os.environ.get("WORLD_SIZE", 1))
    if size != 1:
        raise NotImplementedError(
            f"torch.distributed.init_process_group: world_size {size}: veem has no "
            "communication between processes; run the program with one"
        )
    _group = backend or "gloo"


def destroy_process_group(group=None):
    """Ends the group."""
    global _group
    if _group is None:
        raise AssertionError("Process group cannot be None")
    _group = None


def _need():
    if _group is None:
        raise ValueError(
            "Default process group has not been initialized, please make sure to call "
            "init_process_group."
        )


def get_rank(group=None):
    """0, the only process."""
    _need()
    return 0


def get_world_size(group=None):
    """1."""
    _need()
    return 1


def get_backend(group=None):
    """What init_process_group was told."""
    _need()
    return _group


def barrier(*_, **__):
    """Nobody is there to wait for."""
    _need()


def all_reduce(tensor, *_, **__):
    """The tensor of the only process is the result already."""
    _need()


broadcast = reduce = all_reduce


def all_gather(tensor_list, tensor, *_, **__):
    """Copies the tensor into the only place of the list."""
    _need()
    with veem.no_grad():
        tensor_list[0].copy_(tensor)
