"""Orders of elements in memory, as arguments that say what veem does anyway."""


class memory_format:
    """What PyTorch calls an order of dimensions in memory; see contiguous_format."""

    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"veem.{self.name}"

    def __reduce__(self):
        return self.name


class layout(memory_format):
    """What PyTorch calls dense or sparse; veem has veem.strided."""

    __slots__ = ()


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
strided = layout("strided")


def check_format(op, given):
    """A memory_format= of PyTorch's that changes nothing here."""
    if given not in (None, contiguous_format, preserve_format):
        raise NotImplementedError(
            f"{op}: memory_format {given} is not there, since kernels take every "
            "order of dimensions; leave it out, or permute() and contiguous()"
        )


def check_layout(op, given):
    """A layout= of PyTorch's: tensors are dense."""
    if given not in (None, strided):
        raise NotImplementedError(
            f"{op}: layout {given} is not there; veem's tensors are dense, so leave "
            "layout out"
        )
