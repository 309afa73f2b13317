"""Random numbers: PyTorch's stream, recorded here, and what is refused.

PyTorch itself is asked in reference/test_random.py.
"""

import numpy as np
import pytest
from streams import STREAMS, array, is_exact, tolerance

import veem

# After manual_seed(42): the first three and the last three numbers (all, where there
# are no more than six), and what random_() gives next: it tells how many words were
# taken before.
RECORDED = {
    "rand": (
        [0.882269263, 0.915003955, 0.38286376, 0.547163188, 0.46995157, 0.0296570063],
        3655438509621500862,
    ),
    "rand double": (
        [
            0.05815448596142969,
            0.06291016742457756,
            0.12358607277440903,
            0.2045577955310609,
            0.08609470870982872,
            0.4198258024695729,
        ],
        3415099806487564299,
    ),
    "rand shape": (
        [0.882269263, 0.915003955, 0.38286376, 0.133185923, 0.934598088, 0.59357965],
        1071453510346823114,
    ),
    "uniform_": (
        [
            0.0764538571,
            0.0830007941,
            -0.023427248,
            0.0835923329,
            -0.055972375,
            0.0919389948,
        ],
        57853800039589471,
    ),
    "uniform_ double": (
        [
            5.133755317711288,
            5.144693385076528,
            5.284247967381141,
            5.864505369205052,
            5.310113307777879,
            5.862328165758629,
        ],
        601168885664233730,
    ),
    "uniform_ transposed": (
        [0.882269263, 0.959305644, 0.256572485, 0.940771461, 0.59357965, 0.741094053],
        6155837350739094627,
    ),
    "uniform_ sliced": (
        [0.882269263, 0.915003955, 0.38286376, 0.256572485, 0.793641329, 0.940771461],
        8224162778172047826,
    ),
    "rand_like transposed": (
        [0.882269263, 0.959305644, 0.256572485, 0.940771461, 0.59357965, 0.741094053],
        6155837350739094627,
    ),
    "randn 1": ([0.336690366], 4279532810384561223),
    "randn 15": (
        [0.336690366, 0.128809407, 0.234462366, 1.11029029, -1.68979895, -0.988959908],
        5612278758092655929,
    ),
    "randn 16": (
        [1.92691529, 1.48728406, 0.900717199, -0.559430182, -0.768838882, 0.76244539],
        1865242737500154727,
    ),
    "randn 17": (
        [
            1.92691529,
            -0.159597471,
            -0.497397542,
            -0.251575291,
            0.859858513,
            -0.309726775,
        ],
        2059637314054156309,
    ),
    "randn 1000": (
        [
            1.92691529,
            1.48728406,
            0.900717199,
            -0.0362699144,
            -0.379759401,
            -0.853454411,
        ],
        8297343902414330738,
    ),
    "randn double": (
        [
            0.2995562877502637,
            0.24237779080894106,
            0.28320739441795323,
            -1.1983222673785627,
            0.005247036919813949,
            -0.004495386168535826,
        ],
        1632398491907562957,
    ),
    "randn small double": (
        [
            0.33669035438385886,
            0.1288094051365897,
            0.23446236336153173,
            0.2303330279146119,
            -1.1228563767381703,
        ],
        1071453510346823114,
    ),
    "randn after randn": (
        [0.23033303, -1.12285638, 0.869404435, -0.186328292],
        8471646703852566615,
    ),
    "normal_": (
        [2.96345758, 2.74364209, 2.45035863, 2.06164956, 2.17493391, 2.30864048],
        834296198785359549,
    ),
    "normal_ transposed": (
        [1.67338073, -0.275994122, -0.977919757, 3.70509553, 0.523286283, -1.03134954],
        5619132273503133017,
    ),
    "normal_ sliced": (
        [0.336690366, 0.128809407, 0.234462366, -0.208893925, -0.387020946, 0.99123776],
        2251208029941317035,
    ),
    "normal of tensors": (
        [1.92691529, 1.48728406, 0.900717199, 0.523788452, 0.0566218197, 0.426296145],
        3398499539507992667,
    ),
    "normal of a size": (
        [7.78074598, 6.46185207, 4.70215178, 0.812868476, 4.41022778, 0.135213852],
        7967979256978828120,
    ),
    "exponential_": (
        [
            0.0352435373,
            0.0382212512,
            0.0775981024,
            0.277293921,
            0.0851949528,
            0.276402414,
        ],
        601168885664233730,
    ),
    "exponential_ double": (
        [
            0.059914015690802146,
            0.0649761287933853,
            0.13191677998409057,
            3.1063443378004876,
            2.6415966914712024,
            0.08724053279239835,
        ],
        3838261603483033730,
    ),
    "bernoulli_": ([1, 1, 1, 1, 0, 0], 2251208029941317035),
    "bernoulli_ int64": ([1, 1, 1, 1, 1, 1], 2251208029941317035),
    "bernoulli_ bool": ([1, 1, 1, 1, 1, 1], 2251208029941317035),
    "bernoulli_ tensor": ([1, 1, 1, 1, 0, 1], 1983852346201383558),
    "bernoulli": ([0.0, 0.0, 0.0, 0.0, 1.0, 1.0], 6698075882006520008),
    "random_ int64": (
        [
            6909045637428952499,
            8314211556539077902,
            4279532810384561223,
            1071453510346823114,
            6754757701360545140,
            1865242737500154727,
        ],
        3838261603483033730,
    ),
    "random_ int32": (
        [1608637542, 1273642419, 1935803228, 423734972, 415968276, 670094950],
        8224162778172047826,
    ),
    "random_ uint8": ([102, 179, 92, 188, 20, 102], 8224162778172047826),
    "random_ bool": ([0, 1, 0, 0, 0, 0], 8224162778172047826),
    "random_ float": (
        [14801927, 15351016, 6423145, 4304419, 13314940, 15783487],
        8224162778172047826,
    ),
    "random_ double": (
        [
            523809042610868.0,
            566644413140339.0,
            1113164382588524.0,
            8603998287385940.0,
            8365459559540359.0,
            752491768768152.0,
        ],
        3838261603483033730,
    ),
    "random_ 64 bits": (
        [
            6909045637428952499,
            -909160480315697906,
            -4943839226470214585,
            1071453510346823114,
            -2468614335494230668,
            -7358129299354621081,
        ],
        3838261603483033730,
    ),
    "random_ from": (
        [172247970, 2119288019, 118567604, 1170032619, 1976435429, 251156815],
        3838261603483033730,
    ),
    "randint": ([2, 7, 6, 9, 5, 8], 57853800039589471),
    "randint low": ([52, -3, 41, 35, 84, 65], 8224162778172047826),
    "randint 32 bits": (
        [266460267, 199900607, 56755051, 155299525, 147532829, 133224040],
        8224162778172047826,
    ),
    "randint 64 bits": (
        [199900595, 250975502, 127521863, 93410762, 91090292, 76737383],
        3838261603483033730,
    ),
    "randint wide": (
        [
            2297357419978309043,
            3702521140065178894,
            4279529511849677895,
            1071452410835195338,
            2143067284886646132,
            1865239438965271399,
        ],
        3838261603483033730,
    ),
    "randperm": ([542, 618, 816, 638, 96, 455], 8360817923915954677),
    "randperm int32": ([2, 6, 1, 9, 3, 7], 8224162778172047826),
    "randperm 0": ([], 6909045637428952499),
    "randperm 1": ([0], 6909045637428952499),
    "multinomial": ([8, 3, 9, 5, 9, 7], 1983852346201383558),
    "multinomial 1": ([8, 6, 4], 1983852346201383558),
    "multinomial all": ([380, 297, 564, 4, 7, 6], 601168885664233730),
    "multinomial again": ([2, 2, 3, 5, 7, 5], 7169830455088275180),
    "multinomial double": ([1, 1, 2, 8, 8, 2], 3838261603483033730),
    "multinomial half": ([8, 3, 1, 1, 8, 6], 7967979256978828120),
    "rand out": (
        [0.882269263, 0.915003955, 0.38286376, 0.959305644, 0.390448213],
        5159388252108598972,
    ),
    "uniform_ half": (
        [
            0.58203125,
            0.615234375,
            0.0828857422,
            0.618164062,
            -0.0798339844,
            0.659667969,
        ],
        57853800039589471,
    ),
    "uniform_ bfloat16": (
        [0.62890625, 0.6484375, 0.330078125, 0.65234375, 0.232421875, 0.67578125],
        57853800039589471,
    ),
    "normal_ half": (
        [
            0.812988281,
            0.650390625,
            0.433349609,
            0.115478516,
            0.00691604614,
            0.418212891,
        ],
        5612278758092655929,
    ),
    "exponential_ half": (
        [0.0599060059, 0.0650024414, 0.131958008, 1.20800781, 0.9765625, 0.575195312],
        2063321781277379070,
    ),
    "bernoulli transposed": ([0, 0, 1, 0, 0, 0], 6155837350739094627),
    "geometric_": ([27, 27, 20, 4, 5, 8], 2063321781277379070),
    "geometric_ transposed": ([27, 7, 24, 10, 5, 8], 2063321781277379070),
    "cauchy_": (
        [
            -9.824974593994627,
            -8.987402160112728,
            -3.8897486534543475,
            2.464461787835478,
            1.8166961659258087,
            0.6007315263447288,
        ],
        2063321781277379070,
    ),
    "cauchy_ sliced": (
        [-5.41248751, -4.99370098, -2.44487429, 0.732230902, 0.408348083, -0.199634239],
        2063321781277379070,
    ),
    "log_normal_": (
        [2.08690739, 1.80428898, 1.94278717, 2.92131209, 0.964556336, 0.974885106],
        2063321781277379070,
    ),
    "log_normal_ transposed": (
        [5.33015728, 0.28773576, 6.84360361, 13.7180767, 18.4662285, 0.605776191],
        2063321781277379070,
    ),
    "poisson": ([0, 0, 1, 19, 18, 22], 4103517292678816559),
    "poisson many": (
        [99345, 199403, 300040, 1801574, 1899228, 2002728],
        634356285132873762,
    ),
    "poisson transposed": ([0, 0, 0, 5, 3, 7], 1676678899304631035),
    "binomial": ([0, 0, 0, 15, 10, 15], 2803190395181515708),
    "binomial many": ([7095, 14087, 20994, 125772, 133112, 139605], 634356285132873762),
    "gamma": (
        [
            0.400252372,
            0.0282116011,
            0.000186337391,
            1.60248554,
            0.819352686,
            3.95551825,
        ],
        2516327908049542384,
    ),
    "beta": (
        [
            0.487502009,
            0.0129892984,
            0.00415116828,
            0.111403205,
            0.164791211,
            0.239084095,
        ],
        2206124335314378670,
    ),
    "gumbel": (
        [
            0.0298311207,
            0.0747719184,
            0.1001122,
            0.0284264702,
            0.0698759779,
            0.818998992,
        ],
        3383216058915832992,
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_stream(name):
    numbers, following = RECORDED[name]
    veem.manual_seed(42)
    drawn = STREAMS[name](veem).reshape(-1)
    got, near = array(drawn), tolerance(drawn)
    got = got if len(got) <= 6 else np.concatenate([got[:3], got[-3:]])
    if is_exact(name):
        assert np.array_equal(got, np.array(numbers, got.dtype))
    else:
        np.testing.assert_allclose(got, numbers, rtol=near, atol=near)
    assert veem.empty((), dtype=veem.int64).random_().item() == following


def test_all_that_is_recorded_is_a_stream():
    assert set(RECORDED) == set(STREAMS)


# ---- numbers ------------------------------------------------------------------------


def test_bounds_are_kept():
    x = veem.empty(100_000).uniform_(1, 1 + 2**-22).numpy()
    assert set(x) <= {np.float32(1), np.float32(1 + 2**-23)}  # never the end itself
    assert veem.empty(5).uniform_(3, 3).tolist() == [3] * 5
    x = veem.empty(1000, dtype=veem.uint8).random_(250, 256).numpy()
    assert x.min() == 250 and x.max() == 255
    assert veem.empty(1000).exponential_(1e30).numpy().max() < 1e-27
    assert np.isfinite(veem.randn(100_000).numpy()).all()


def test_moments():
    veem.manual_seed(0)
    n = 200_000
    x, y = veem.randn(n).numpy(), veem.empty(n).exponential_(2).numpy()
    assert (
        abs(x.mean()) < 0.01 and abs(x.std() - 1) < 0.01 and abs((x**3).mean()) < 0.03
    )
    assert abs(y.mean() - 0.5) < 0.01 and abs(y.std() - 0.5) < 0.01
    p = veem.tensor([1.0, 0.0, 3.0])
    counts = np.bincount(veem.multinomial(p, n, replacement=True).numpy(), minlength=3)
    assert counts[1] == 0 and abs(counts[0] / n - 0.25) < 0.01
    assert sorted(veem.randperm(1000).tolist()) == list(range(1000))


def test_empty():
    assert veem.rand(0).shape == (0,) and veem.randn(2, 0).shape == (2, 0)
    assert veem.multinomial(veem.rand(0, 3), 2).shape == (0, 2)
    assert veem.bernoulli(veem.rand(0, 3)).shape == (0, 3)


def test_fills_have_no_history_behind_them():
    x = veem.ones(3, requires_grad=True)
    y = x * 2
    assert y.uniform_() is y and y.requires_grad
    (y * y).backward(veem.ones(3))
    assert x.grad.tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="leaf"):
        x.normal_()
    with veem.no_grad():
        x.normal_()


def test_a_fill_changes_the_version():
    x = veem.ones(3, requires_grad=True)
    y = x.exp()
    z = y * y
    y.detach().uniform_()
    with pytest.raises(RuntimeError, match="modified"):
        z.backward(veem.ones(3))


def test_out_and_options():
    out = veem.empty(0)
    assert veem.randn(2, 3, out=out) is out and out.shape == (2, 3)
    out.resize_(0)
    assert veem.randint(9, size=(4,), out=out) is out and out.dtype == veem.float32
    assert veem.randperm(4, out=out) is out and sorted(out.tolist()) == [0, 1, 2, 3]
    assert veem.multinomial(ones(5), 2, out=veem.empty(0).long()).shape == (2,)
    out.resize_(0)
    assert veem.bernoulli(ones(2, 2), out=out) is out and out.tolist() == [[1, 1]] * 2
    x = veem.rand(size=(2,), layout=veem.strided, pin_memory=True, requires_grad=True)
    assert x.shape == (2,) and x.requires_grad
    with pytest.raises(RuntimeError, match="does not match dtype of out"):
        veem.rand(2, out=out, dtype=veem.float64)
    with pytest.raises(NotImplementedError, match="layout"):
        veem.rand(2, layout="sparse")
    assert veem.randint(veem.tensor(1), (3,)).tolist() == [0, 0, 0]


def test_gradients_of_draws_are_zero():
    x = veem.full((3,), 0.5, requires_grad=True)
    assert not veem.normal(x, 1.0, out=veem.empty(3)).requires_grad
    around = veem.normal(x, x), veem.normal(x, 2.0), veem.normal(1.0, x)
    draws = veem.poisson(x), veem.binomial(x * 10, x), veem.bernoulli(x), *around
    sum(d.sum() for d in draws).backward()
    assert x.grad.tolist() == [0, 0, 0]
    y = x * 2
    y.geometric_(0.5), y.cauchy_(), y.log_normal_()
    (x.grad,) = veem.autograd.grad(y.sum(), x)
    assert x.grad.tolist() == [0, 0, 0]


def test_means_of_counts():
    veem.manual_seed(0)
    n = 100_000
    for rate in (0.5, 9.0, 10.0, 1e4):
        drawn = veem.poisson(veem.full((n,), rate, dtype=veem.float64)).numpy()
        assert abs(drawn.mean() - rate) < 0.02 * rate
        assert abs(drawn.var() - rate) < 0.03 * rate
    for count, chance in ((5, 0.3), (100, 0.05), (100, 0.5), (1000, 0.9)):
        both = veem.full((n,), float(count)), veem.full((n,), chance)
        drawn = veem.binomial(*both).numpy()
        assert abs(drawn.mean() - count * chance) < 0.02 * count * chance
        variance = count * chance * (1 - chance)
        assert abs(drawn.var() - variance) < 0.03 * variance
        assert drawn.min() >= 0 and drawn.max() <= count
    edge = [[0, 5, 5, 5, np.inf], [0.5, 0, 1, np.nan, 0.5]]
    drawn = veem.binomial(*veem.tensor(edge)).tolist()
    assert drawn[:3] == [0, 0, 5] and np.isnan(drawn[3:]).all()
    assert veem.poisson(veem.tensor([0, np.inf])).tolist() == [0, np.inf]
    with pytest.raises(RuntimeError, match="sizes|broadcast|match"):
        veem.binomial(ones(2), ones(3))


ones, rand, empty = veem.ones, veem.rand, veem.empty
REFUSED = [
    (lambda: rand(2, dtype=veem.int64), NotImplementedError, "int64"),
    (lambda: veem.randn(2, dtype=veem.int32), NotImplementedError, "int32"),
    (lambda: empty(3).uniform_(1, 0), RuntimeError, "from=1 > to=0"),
    (lambda: empty(3).uniform_(0, float("inf")), RuntimeError, "finite"),
    (lambda: empty(3).uniform_(0, 1e39), RuntimeError, "finite in float32"),
    (lambda: empty(3).normal_(0, -1), RuntimeError, "std >= 0.0, but found std -1"),
    (lambda: veem.normal(0.0, -1.0, (2,)), RuntimeError, "std"),
    (lambda: veem.normal(ones(2), veem.tensor([1.0, -1])), RuntimeError, "std"),
    (lambda: veem.normal(0.0, 1.0), TypeError, "size"),
    (lambda: empty(3).exponential_(0), RuntimeError, "lambda > 0.0"),
    (lambda: ones(3, dtype=veem.int64).exponential_(), RuntimeError, "floating point"),
    (lambda: empty(3).geometric_(0), RuntimeError, r"\(0, 1\), but got p=0"),
    (lambda: empty(3).bool().geometric_(0.5), NotImplementedError, "bool"),
    (lambda: empty(3).cauchy_(0, -1), RuntimeError, "sigma=-1"),
    (lambda: ones(3).long().cauchy_(), RuntimeError, "floating"),
    (lambda: empty(3).log_normal_(0, 0), RuntimeError, "std=0"),
    (lambda: ones(3).long().log_normal_(), NotImplementedError, "floating"),
    (lambda: empty(1).expand(3).cauchy_(), RuntimeError, "clone"),
    (lambda: veem.poisson(-ones(3)), RuntimeError, "non-negative"),
    (lambda: veem.poisson(ones(3).long()), NotImplementedError, "floating"),
    (lambda: veem.binomial(ones(3).long(), ones(3)), NotImplementedError, "floating"),
    (lambda: veem.random.standard_gamma(-ones(3)), RuntimeError, "non-negative"),
    (lambda: empty(3).bernoulli_(1.5), RuntimeError, r"\[0, 1\].*1.5"),
    (lambda: veem.bernoulli(veem.tensor([0.2, 1.5])), RuntimeError, "every p"),
    (lambda: veem.bernoulli(ones(2) * float("nan")), RuntimeError, "every p"),
    (lambda: veem.bernoulli(veem.tensor([1, 0])), NotImplementedError, "float"),
    (lambda: empty(3).bernoulli_(ones(4)), RuntimeError, r"\[3\].*\[4\]"),
    (lambda: empty(3).bernoulli_(ones(2, 3)), RuntimeError, "broadcast"),
    (lambda: veem.randint(3, 3, (2,)), RuntimeError, "from=3 >= to=3"),
    (lambda: veem.randint(300, (2,), dtype=veem.uint8), RuntimeError, "uint8"),
    (lambda: veem.randint(-1, 3, (2,), dtype=veem.uint8), RuntimeError, "from is out"),
    (lambda: veem.randint(2**40, (2,), dtype=veem.int32), RuntimeError, "int32"),
    (lambda: veem.randint(2.5, (2,)), TypeError, "int"),
    (lambda: veem.randint((2,)), TypeError, "low, high"),
    (lambda: empty(3).random_(0, 2**25), RuntimeError, "float32"),
    (lambda: empty(1).expand(3).uniform_(), RuntimeError, "clone"),
    (lambda: veem.randperm(-1), RuntimeError, "negative"),
    (lambda: veem.randperm(300, dtype=veem.uint8), RuntimeError, "uint8"),
    (lambda: veem.multinomial(ones(2), 1, out=ones(1)), RuntimeError, "int64"),
    (lambda: veem.multinomial(ones(2), 3), RuntimeError, "without replacement: 3 of 2"),
    (lambda: veem.multinomial(ones(2).long(), 1), RuntimeError, "floating-point"),
    (lambda: veem.multinomial(ones(2, 2, 2), 1), RuntimeError, "1 or 2 dim"),
    (lambda: veem.multinomial(ones(()), 1), RuntimeError, "1 or 2 dim"),
    (lambda: veem.multinomial(ones(2), 0), RuntimeError, "0"),
    (lambda: veem.multinomial(-ones(2), 1), RuntimeError, "element < 0"),
    (lambda: veem.multinomial(ones(2) / 0, 1, True), RuntimeError, "inf"),
    (lambda: veem.multinomial(veem.zeros(2, 2), 1), RuntimeError, "sum to 0"),
    (lambda: veem.multinomial(ones(2, 0), 1, True), RuntimeError, "no categories"),
]


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_refused(call, error, message):
    state = veem.get_rng_state().tolist()
    with pytest.raises(error, match=message):
        call()
    assert veem.get_rng_state().tolist() == state  # nothing was drawn
