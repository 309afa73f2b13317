"""Makes einops take tensors: it looks for subclasses of its AbstractBackend.

Imported by `import veem` where einops is installed.
"""

from einops._backends import AbstractBackend

import veem


class VeemBackend(AbstractBackend):
    """What einops asks of a library."""

    framework_name = "veem"

    def is_appropriate_type(self, tensor):
        return isinstance(tensor, veem.Tensor)

    def from_numpy(self, x):
        x = veem.from_numpy(x)
        return x.requires_grad_(x.is_floating_point())

    def to_numpy(self, x):
        return x.numpy(force=True)

    def arange(self, start, stop):
        return veem.arange(start, stop, dtype=veem.int64)

    def reduce(self, x, operation, axes):
        if operation in ("any", "all", "prod"):  # which take one dimension at a time
            for axis in sorted(axes, reverse=True):
                x = getattr(x, operation)(dim=axis)
            return x
        return getattr(x, {"min": "amin", "max": "amax"}.get(operation, operation))(
            dim=tuple(axes)
        )

    def transpose(self, x, axes):
        return x.permute(axes)

    def stack_on_zeroth_dimension(self, tensors):
        return veem.stack(tensors)

    def add_axis(self, x, new_position):
        return x.unsqueeze(new_position)

    def add_axes(self, x, n_axes, pos2len):
        for position in pos2len:
            x = x.unsqueeze(position)
        return x.expand([pos2len.get(i, -1) for i in range(n_axes)])

    def tile(self, x, repeats):
        return x.repeat(repeats)

    def concat(self, tensors, axis):
        return veem.cat(tensors, dim=axis)

    def is_float_type(self, x):
        return x.is_floating_point()

    def einsum(self, pattern, *x):
        return veem.einsum(pattern, *x)
