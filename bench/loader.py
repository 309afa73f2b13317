"""DataLoader: what a batch costs, made in the process itself and by two workers.

Times are of one batch in a pass over a dataset: rows of one tensor; samples made in
Python, stacked; batches of 3 MB, whose way between processes is what costs. Then what
starting two workers costs, for a pass over two batches.
"""

import numpy as np
from case import Case
from harness import main

BATCH = 64


class Samples:
    """A sample is a row, flipped in Python and NumPy, as a transform might do it."""

    def __init__(self, T, rows):
        self.T, self.rows = T, rows

    def __getitem__(self, i):
        row = self.rows[i].numpy()[::-1]
        return self.T.from_numpy(np.ascontiguousarray(row)), i

    def __len__(self):
        return len(self.rows)


def rows_of(T, rows):
    return T.utils.data.TensorDataset(rows, T.arange(len(rows)))


def last_batch(dataset, workers, **options):
    """A pass over the data, in order, that returns its last batch."""

    def maker(T, rows):
        if workers:
            options["persistent_workers"] = options.get("persistent_workers", True)
        loader = T.utils.data.DataLoader(
            dataset(T, rows), BATCH, num_workers=workers, **options
        )

        def step():
            for batch in loader:
                last = batch
            return last

        return step

    return maker


def case(name, dataset, workers, shape, flipped=False, **options):
    def reference(np, rows):
        last = np.ascontiguousarray(rows[-BATCH:])
        last = last[:, ::-1] if flipped else last
        return lambda: [last, np.arange(len(rows))[-BATCH:]]

    kind = f"{workers} workers" if workers else "no workers"
    return Case(
        name,
        f"{BATCH}x{'x'.join(map(str, shape[1:]))} {kind}",
        lambda rng: [rng.standard_normal(shape, np.float32)],
        tensor=last_batch(dataset, workers, **options),
        reference=reference,
        moved=(0, 0),
        calls=1 if options else shape[0] // BATCH,
    )


FEW, MANY = (BATCH * 64, 784), (BATCH * 32, 3, 64, 64)

CASES = [
    *(case("rows", rows_of, n, FEW) for n in (0, 2)),
    *(case("samples", Samples, n, FEW, flipped=True) for n in (0, 2)),
    *(case("3 MB rows", rows_of, n, MANY) for n in (0, 2)),
    case("start", rows_of, 2, (BATCH * 2, 784), persistent_workers=False),
]

if __name__ == "__main__":
    main(__doc__, CASES)
