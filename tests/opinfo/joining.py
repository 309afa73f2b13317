"""Tensors joined, and taken apart."""

import numpy as np

from opinfo import ANY, OpInfo, Sample, Wrong, values

ONE = np.ones((2, 3))


def joined(name, reference, *calls, many=False, options=None, **kwargs):
    """A row for an op of several tensors: lists of their shapes, further arguments.

    many: they are arguments of their own, not one list.
    """

    def samples(rng, dtype):
        out = []
        for shapes, *rest in calls:
            xs = [values(rng, s, dtype) for s in shapes]
            out.append(Sample((*xs, *rest) if many else (xs, *rest), options or {}))
        return out

    return OpInfo(name, reference, samples, dtypes=ANY, **kwargs)


def taken(name, reference, *calls, shape=(4, 6, 2), **kwargs):
    def samples(rng, dtype):
        return [Sample((values(rng, shape, dtype), *args)) for args in calls]

    return OpInfo(name, reference, samples, dtypes=ANY, **kwargs)


def block_diag(*xs):
    xs = [np.atleast_2d(x) for x in xs]
    out = np.zeros(np.sum([x.shape for x in xs], 0), xs[0].dtype)
    row = column = 0
    for x in xs:
        out[row : row + len(x), column : column + x.shape[1]] = x
        row, column = row + len(x), column + x.shape[1]
    return out


def cartesian_prod(*xs):
    return np.stack([g.ravel() for g in np.meshgrid(*xs, indexing="ij")], -1)


def sections(x, sizes, dim=0):
    return np.split(x, np.cumsum(sizes)[:-1], dim)


MIXED = [ONE, np.ones((2, 4))]
ROWS = [
    joined("cat", np.concatenate, (((2, 3), (1, 3)), 0), (((2, 3), (2, 1)), -1),
           wrong=(Wrong((MIXED, 0), RuntimeError, "cat"),
                  Wrong(([],), ValueError, "non-empty"),
                  Wrong(([ONE, np.array(1.0)],), RuntimeError, "zero-dimensional"),
                  Wrong((ONE,), TypeError, "tuple of Tensors"))),
    joined("stack", np.stack, (((2, 3), (2, 3)), 0), (((2, 3), (2, 3)), 1),
           (((2, 3), (2, 3)), -1),
           wrong=(Wrong((MIXED,), RuntimeError, "equal size"),
                  Wrong(([],), RuntimeError, "non-empty"))),
    joined("hstack", np.hstack, (((2, 3), (2, 1)),), (((3,), (2,)),), (((), ()),),
           wrong=(Wrong(([ONE, np.ones((3, 3))],), RuntimeError, "must match"),)),
    joined("vstack", np.vstack, (((2, 3), (3,)),), (((), ()),)),
    joined("dstack", np.dstack, (((2, 3), (2, 3)),), (((3,), (3,)),)),
    joined("column_stack", np.column_stack, (((2,), (2, 3), (2,)),), (((), ()),)),
    joined("block_diag", block_diag, (((2, 3), (1, 1), (2,), ()),), many=True,
           wrong=(Wrong((np.ones((1, 1, 1)),), RuntimeError, "2 or fewer"),)),
    joined("cartesian_prod", cartesian_prod, (((2,), (3,), (2,)),), many=True,
           wrong=(Wrong((ONE,), RuntimeError, "1D vector"),)),
    joined("broadcast_tensors", np.broadcast_arrays, (((3, 1), (2,), ()),), many=True,
           wrong=(Wrong((ONE, np.ones(2)), RuntimeError, "broadcast"),)),
    joined("meshgrid", np.meshgrid,
           (((2,), (3,), ()),), many=True, options={"indexing": "ij"},
           wrong=(Wrong((ONE,), RuntimeError, "0D or 1D"),)),
    taken("split", lambda x, n, d=0: np.split(x, range(n, x.shape[d], n), d),
          (1,), (4, 1),
          wrong=(Wrong((ONE, -1), RuntimeError, "non-negative"),
                 Wrong((ONE, 0), RuntimeError, "dimension size"),
                 Wrong((ONE, [1, 1, 1]), RuntimeError, "sum exactly"),
                 Wrong((np.array(1.0), 1), RuntimeError, "at least a 1-d"))),
    taken("split_with_sizes", sections, ([1, 0, 3],), ((2, 4), 1),
          wrong=(Wrong((ONE, [1, 2]), RuntimeError, "sum exactly"),)),
    taken("chunk", lambda x, n, d=0: np.array_split(x, n, d), (2,), (3, 1),
          wrong=(Wrong((ONE, 0), RuntimeError, "greater than 0"),)),
    taken("tensor_split", np.array_split, (3,), (4, 1), ((1, 5), 1), ((2, 1),),
          wrong=(Wrong((ONE, 0), RuntimeError, "larger than 0"),
                 Wrong((np.array(1.0), 1), RuntimeError, "1-dimensional"))),
    taken("hsplit", np.hsplit, (3,), ((1, 2),),
          wrong=(Wrong((ONE, 2), RuntimeError, "not divisible"),
                 Wrong((np.array(1.0), 1), RuntimeError, "at least 1"))),
    taken("vsplit", np.vsplit, (2,), ((1, 2),),
          wrong=(Wrong((np.ones(3), 1), RuntimeError, "at least 2"),)),
    taken("dsplit", np.dsplit, (2,), ((1,),),
          wrong=(Wrong((ONE, 1), RuntimeError, "at least 3"),)),
    taken("unbind", lambda x, d=0: [np.take(x, i, d) for i in range(x.shape[d])],
          (), (1,), wrong=(Wrong((np.array(1.0),), IndexError, "no dimensions"),)),
]  # fmt: skip
