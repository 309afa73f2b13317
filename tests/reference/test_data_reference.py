"""Orders beside PyTorch's: the same seed, the same samples in the same batches."""

import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")


def seeded(run):
    """The same program with both modules, and the streams' next numbers."""
    results = []
    for v in (veem, torch):
        v.manual_seed(3)
        results.append((run(v, v.utils.data), v.rand(1).item()))
    return results


def loader(v, D, n, generator=False, **options):
    g = v.Generator().manual_seed(11) if generator else None
    data = D.TensorDataset(v.arange(n), v.arange(n) * 2)
    loads = D.DataLoader(data, generator=g, **options)
    passes = [[[x.tolist() for x in batch] for batch in loads] for _ in range(2)]
    return passes, None if g is None else v.rand(1, generator=g).item()


@pytest.mark.parametrize("n", [1, 12, 13, 100])
@pytest.mark.parametrize("generator", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_loader(n, generator, shuffle, drop_last):
    options = {"batch_size": 4, "shuffle": shuffle, "drop_last": drop_last}
    ours, theirs = seeded(lambda v, D: loader(v, D, n, generator, **options))
    assert ours == theirs


def own_generator(v):
    return v.Generator().manual_seed(1)


SAMPLERS = {
    "random": lambda v, D: D.RandomSampler(range(50)),
    "more": lambda v, D: D.RandomSampler(range(7), num_samples=21),
    "less": lambda v, D: D.RandomSampler(range(7), num_samples=4),
    "drawn": lambda v, D: D.RandomSampler(range(9), True, 70),
    "drawn even": lambda v, D: D.RandomSampler(range(9), True, 64, own_generator(v)),
    "own": lambda v, D: D.RandomSampler(range(9), generator=own_generator(v)),
    "subset": lambda v, D: D.SubsetRandomSampler([4, 9, 1, 7]),
    "weighted": lambda v, D: D.WeightedRandomSampler([0.1, 5, 2, 0], 20),
    "weighted once": lambda v, D: D.WeightedRandomSampler([0.1, 5, 2, 1], 3, False),
    "split": lambda v, D: [
        i for part in D.random_split(range(20), [0.5, 0.5]) for i in part
    ],
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_sampler(name):
    def run(v, D):
        sampler = SAMPLERS[name](v, D)
        return [list(sampler), list(sampler), [i for i, _ in zip(sampler, range(2))]]

    ours, theirs = seeded(run)
    assert ours == theirs
