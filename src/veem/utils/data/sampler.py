"""Samplers: the order in which samples are taken.

With the same seed the orders are PyTorch's: the same draws in the same places.
"""

import itertools
import types

from veem import _core, creation, random


def random_seed(generator=None):
    """A seed for another generator, drawn from this one."""
    seed = _core.empty((), _core.int64, "cpu").random_(generator=generator)
    return seed.item()


def _positive(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(
            f"{name} should be a positive integer value, but got {name}={value}"
        )
    return value


class Sampler:
    """Gives indices; subclasses have __iter__ and, as a rule, __len__."""

    def __class_getitem__(cls, kind):
        return types.GenericAlias(cls, kind)

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} must implement __iter__")


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler):
    """A random order, or indices drawn again and again (replacement)."""

    def __init__(
        self, data_source, replacement=False, num_samples=None, generator=None
    ):
        if not isinstance(replacement, bool):
            raise TypeError(
                "replacement should be a boolean value, but got "
                f"replacement={replacement}"
            )
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        _positive("num_samples", self.num_samples)

    @property
    def num_samples(self):
        """How many indices a pass gives; by default one for each sample."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        n, wanted, g = len(self.data_source), self.num_samples, self.generator
        if g is None:
            # A stream of its own: whoever draws between two batches changes no order.
            g = random.Generator().manual_seed(random_seed())
        if self.replacement:
            for _ in range(wanted // 32):
                yield from random.randint(n, (32,), generator=g).tolist()
            yield from random.randint(n, (wanted % 32,), generator=g).tolist()
        else:
            for _ in range(wanted // n):
                yield from random.randperm(n, generator=g).tolist()
            yield from random.randperm(n, generator=g).tolist()[: wanted % n]

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given indices in random order."""

    def __init__(self, indices, generator=None):
        self.indices = indices
        self.generator = generator

    def __iter__(self):
        order = random.randperm(len(self.indices), generator=self.generator)
        for i in order.tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Indices of weights, drawn with probabilities in proportion to them."""

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        if not isinstance(replacement, bool):
            raise ValueError(
                "replacement should be a boolean value, but got "
                f"replacement={replacement}"
            )
        self.weights = creation.as_tensor(weights, _core.float64, "cpu")
        if self.weights.ndim != 1:
            raise ValueError(
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples = _positive("num_samples", num_samples)
        self.replacement = replacement
        self.generator = generator

    def __iter__(self):
        yield from random.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        ).tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler):
    """Another sampler's indices in lists of batch_size; the last may be shorter."""

    def __init__(self, sampler, batch_size, drop_last):
        if not isinstance(drop_last, bool):
            raise ValueError(
                f"drop_last should be a boolean value, but got drop_last={drop_last}"
            )
        self.sampler = sampler
        self.batch_size = _positive("batch_size", batch_size)
        self.drop_last = drop_last

    def __iter__(self):
        # A generator: the sampler draws when the first batch is asked for, not before.
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)
