"""nn.utils and func beside PyTorch: weights that are computed, fused layers."""

import copy
import math
import warnings

import pytest

torch = pytest.importorskip("torch")

from side_by_side import same  # noqa: E402


def trained(lib, module, steps=3, shape=(4, 3)):
    """Some steps of SGD, the output before and after them, and the state."""
    module = module.double()
    optimizer = lib.optim.SGD(module.parameters(), lr=0.01)
    x = lib.linspace(-1, 1, math.prod(shape), dtype=lib.float64).view(shape)
    said = [module(x)]
    for _ in range(steps):
        optimizer.zero_grad()
        module(x).square().sum().backward()
        optimizer.step()
    return [*said, module(x), module.eval()(x), dict(module.state_dict())]


def quiet(call, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **kwargs)


def linear(lib):
    return lib.nn.Linear(3, 2)


def conv(lib):
    return lib.nn.Conv2d(1, 2, 3)


def ways(lib):
    return lib.nn.utils.parametrizations


def orthogonal(lib, rows, columns, start=None, **options):
    """A layer whose weight stays orthogonal while it is trained and assigned to."""
    layer = lib.nn.Linear(columns, rows).double()
    if start is not None:
        layer.weight.data = start.double()
    ways(lib).orthogonal(layer, **options)
    said = [layer, layer.weight, list(layer.state_dict())]
    with lib.no_grad():
        if options.get("use_trivialization", True):
            move = lib.linspace(-1, 1, rows * columns, dtype=lib.float64)
            layer.parametrizations.weight.original.add_(move.view(rows, columns))
    (layer.weight * lib.arange(float(columns))).sum().backward()
    said += [layer.weight, layer.parametrizations.weight.original.grad]
    if options.get("use_trivialization", True):
        layer.weight = layer.weight.detach()
    return [*said, layer.weight]


class Both:
    """One program of both libraries, whose modules differ in their bases."""

    @staticmethod
    def symmetric(lib):
        class Symmetric(lib.nn.Module):
            def forward(self, x):
                return (x + x.T) / 2

            def right_inverse(self, x):
                return x

        return Symmetric()

    @staticmethod
    def rank_one(lib):
        class RankOne(lib.nn.Module):
            def forward(self, x, y):
                return x.unsqueeze(-1) * y

            def right_inverse(self, z):
                return z[:, 0], z[0] / z[0, 0]

        return RankOne()

    @staticmethod
    def doubled(lib):
        class Doubled(lib.nn.Module):
            def forward(self, x):
                return 2 * x

        return Doubled()

    @staticmethod
    def wrong(lib, result):
        return type("Wrong", (lib.nn.Module,), {"forward": lambda self, x: result(x)})()


def parametrized(lib, name="symmetric", size=3):
    p = lib.nn.utils.parametrize
    module = lib.nn.Linear(size, size)
    return p.register_parametrization(module, "weight", getattr(Both, name)(lib))


def removed(lib, name, leave):
    module = parametrized(lib, name)
    value = module.weight.detach().clone()
    lib.nn.utils.parametrize.remove_parametrizations(module, "weight", leave)
    return [module, type(module).__name__, dict(module.state_dict()), value]


def assigned(lib, name):
    module = parametrized(lib, name)
    module.weight = lib.ones(3, 3) * 3
    return [module.weight, dict(module.state_dict())]


def counted(lib):
    """How often a weight is computed, with and without the cache."""
    calls = []

    class Count(lib.nn.Module):
        def forward(self, x):
            calls.append(1)
            return x

    p, module = lib.nn.utils.parametrize, linear(lib)
    p.register_parametrization(module, "weight", Count(), unsafe=True)
    for _ in range(2):
        module(lib.ones(3))
    said = [len(calls)]
    with p.cached():
        for _ in range(3):
            module(lib.ones(3))
    return [*said, len(calls)]


def copied(lib):
    module = parametrized(lib)
    twin = copy.deepcopy(module)
    with lib.no_grad():
        twin.parametrizations.weight.original.fill_(1)
    return [module.weight, twin.weight, repr(twin)]


def two_maps(lib):
    p = lib.nn.utils.parametrize
    module = parametrized(lib)
    p.register_parametrization(module, "weight", Both.doubled(lib))
    p.register_parametrization(module, "bias", Both.doubled(lib))
    return [module, module.weight, module.bias, dict(module.state_dict()),
            p.is_parametrized(module, "bias"), p.is_parametrized(module, "x"),
            p.type_before_parametrizations(module).__name__]  # fmt: skip


def call(lib, *args, **kwargs):
    call = lib.func.functional_call
    return call(linear(lib), *args, **kwargs)


def fused(lib, first, norm, x):
    """A layer fused with the normalization after it, beside the two."""
    first, norm, x = first.double(), norm.double(), x.double()
    with lib.no_grad():
        norm(first(x) * 3 + 1)  # statistics that are not those of a new layer
        norm.weight.copy_(lib.linspace(-1, 2, 2))
        norm.bias.copy_(lib.linspace(1, 3, 2))
    both = lib.nn.Sequential(first, norm).eval()
    how = "linear" if isinstance(first, lib.nn.Linear) else "conv"
    one = getattr(lib.nn.utils, f"fuse_{how}_bn_eval")(first, norm)
    return [one(x), both(x), dict(one.state_dict())]


def renormed(lib):
    """Statistics taken anew by update_bn."""
    model = lib.nn.Sequential(lib.nn.Linear(3, 2), lib.nn.BatchNorm1d(2)).double()
    batches = [lib.arange(12.0).double().view(4, 3) * i / 9 for i in range(3)]
    lib.optim.swa_utils.update_bn([(b, None) for b in batches], model.eval())
    return [dict(model.state_dict()), model.training, model[1].momentum]


def tied(lib, tie):
    module = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Linear(2, 2))
    module[1].weight = module[0].weight
    given = {"0.weight": lib.ones(2, 2), "1.bias": lib.zeros(2), "0.bias": lib.ones(2)}
    x = lib.tensor([1.0, 2.0])
    return [lib.func.functional_call(module, given, x, tie_weights=tie), module(x)]


def ones(lib, **kwargs):
    return {"weight": lib.ones(2, 3, **kwargs), "bias": lib.ones(2)}


PROGRAMS = {
    "weight_norm": lambda L: trained(L, ways(L).weight_norm(linear(L))),
    "weight_norm dim": lambda L: trained(L, ways(L).weight_norm(linear(L), dim=1)),
    "weight_norm all": lambda L: trained(L, ways(L).weight_norm(linear(L), dim=None)),
    "weight_norm bias": lambda L: trained(L, ways(L).weight_norm(linear(L), "bias")),
    "weight_norm conv": lambda L: trained(
        L, ways(L).weight_norm(conv(L)), 2, (2, 1, 5, 5)
    ),
    "weight_norm repr": lambda L: ways(L).weight_norm(linear(L)),
    "weight_norm old": lambda L: trained(
        L, quiet(L.nn.utils.weight_norm, linear(L))
    ),
    "weight_norm old dim": lambda L: trained(
        L, quiet(L.nn.utils.weight_norm, linear(L), dim=None)
    ),
    "weight_norm warns": lambda L: L.nn.utils.weight_norm(linear(L)),
    "weight_norm removed": lambda L: trained(
        L,
        L.nn.utils.remove_weight_norm(quiet(L.nn.utils.weight_norm, linear(L))),
    ),
    "weight_norm not there": lambda L: L.nn.utils.remove_weight_norm(linear(L)),
    "weight_norm twice": lambda L: quiet(
        L.nn.utils.weight_norm, quiet(L.nn.utils.weight_norm, linear(L))
    ),
    "weight_norm from old": lambda L: (
        m := ways(L).weight_norm(linear(L)),
        m.load_state_dict(quiet(L.nn.utils.weight_norm, linear(L)).state_dict()),
        m.weight,
    )[1:],
    "spectral_norm": lambda L: trained(L, ways(L).spectral_norm(linear(L))),
    "spectral_norm how": lambda L: trained(
        L, ways(L).spectral_norm(linear(L), n_power_iterations=3, dim=1, eps=1e-6)
    ),
    "spectral_norm vector": lambda L: trained(
        L, ways(L).spectral_norm(linear(L), "bias")
    ),
    "spectral_norm conv": lambda L: trained(
        L, ways(L).spectral_norm(conv(L)), 2, (2, 1, 5, 5)
    ),
    "spectral_norm dims": lambda L: ways(L).spectral_norm(linear(L), dim=3),
    "spectral_norm none": lambda L: ways(L).spectral_norm(
        linear(L), n_power_iterations=0
    ),
    "spectral_norm name": lambda L: ways(L).spectral_norm(linear(L), "x"),
    "spectral_norm old": lambda L: trained(L, L.nn.utils.spectral_norm(linear(L))),
    "spectral_norm old how": lambda L: trained(
        L, L.nn.utils.spectral_norm(linear(L), n_power_iterations=2, dim=1)
    ),
    "spectral_norm removed": lambda L: trained(
        L,
        L.nn.utils.remove_spectral_norm(L.nn.utils.spectral_norm(linear(L).double())),
    ),
    "spectral_norm twice": lambda L: L.nn.utils.spectral_norm(
        L.nn.utils.spectral_norm(linear(L))
    ),
    "spectral_norm not there": lambda L: L.nn.utils.remove_spectral_norm(linear(L)),
    "fused linear": lambda L: fused(
        L, linear(L), L.nn.BatchNorm1d(2), L.linspace(-1, 1, 12).view(4, 3)
    ),
    "fused conv": lambda L: fused(
        L, conv(L), L.nn.BatchNorm2d(2), L.linspace(-1, 1, 50).view(2, 1, 5, 5)
    ),
    "fused in training": lambda L: L.nn.utils.fuse_conv_bn_eval(
        conv(L), L.nn.BatchNorm2d(2)
    ),
    "update_bn": renormed,
    **{
        f"orthogonal {how} {n} {k}": (
            lambda L, n=n, k=k, how=how: orthogonal(L, n, k, orthogonal_map=how)
        )
        for how in (None, "matrix_exp", "cayley", "householder")
        for n, k in ((3, 3), (5, 2), (2, 5))
    },
    "orthogonal householder plain": lambda L: orthogonal(
        L, 5, 3, orthogonal_map="householder", use_trivialization=False
    ),
    "orthogonal plain": lambda L: orthogonal(L, 3, 3, use_trivialization=False),
    "orthogonal already": lambda L: orthogonal(L, 3, 3, start=L.eye(3)),
    "orthogonal bias": lambda L: ways(L).orthogonal(linear(L), "bias"),
    "orthogonal name": lambda L: ways(L).orthogonal(linear(L), "x"),
    "orthogonal map": lambda L: ways(L).orthogonal(linear(L), orthogonal_map="x"),
    "skip_init": lambda L: [
        L.nn.utils.skip_init(L.nn.Linear, 3, out_features=2),
        L.rand(3),
    ],
    "skip_init what": lambda L: L.nn.utils.skip_init(dict),
    "skip_init device": lambda L: L.nn.utils.skip_init(L.nn.ReLU),
    "data parallel": lambda L: [
        m := L.nn.DataParallel(linear(L)),
        m(L.ones(3)),
        list(m.state_dict()),
    ],
    "symmetric": lambda L: trained(L, parametrized(L)),
    "rank one": lambda L: trained(L, parametrized(L, "rank_one")),
    "doubled": lambda L: trained(L, parametrized(L, "doubled")),
    "repr": parametrized,
    "two maps": two_maps,
    "copied": copied,
    "counted": counted,
    "assigned": lambda L: assigned(L, "symmetric"),
    "assigned parts": lambda L: assigned(L, "rank_one"),
    "not assigned": lambda L: assigned(L, "doubled"),
    "removed": lambda L: removed(L, "symmetric", True),
    "removed original": lambda L: removed(L, "doubled", False),
    "removed parts": lambda L: removed(L, "rank_one", True),
    "removed no parts": lambda L: removed(L, "rank_one", False),
    "not parametrized": lambda L: L.nn.utils.parametrize.remove_parametrizations(
        linear(L), "weight"
    ),
    "no such tensor": lambda L: L.nn.utils.parametrize.register_parametrization(
        linear(L), "x", Both.doubled(L)
    ),
    "call": lambda L: call(L, ones(L), L.ones(3)),
    "call two": lambda L: call(
        L, ({"weight": L.ones(2, 3)}, {"bias": L.zeros(2)}), (L.ones(3),)
    ),
    "call by name": lambda L: call(L, ones(L), kwargs={"input": L.ones(3)}),
    "call twice": lambda L: call(L, (ones(L), ones(L)), L.ones(3)),
    "call some": lambda L: call(L, {"bias": L.zeros(2)}, L.ones(3)),
    "call other": lambda L: call(L, {"x": L.zeros(2)}, L.ones(3)),
    "call no dict": lambda L: call(L, [3], L.ones(3)),
    "call gradient": lambda L: (
        p := ones(L, requires_grad=True),
        call(L, p, L.ones(3)).sum().backward(),
        p["weight"].grad,
    )[2],
    "call tied": lambda L: tied(L, True),
    "call untied": lambda L: tied(L, False),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    same(PROGRAMS[name])


@pytest.mark.parametrize("result", [lambda x: 3, lambda x: x.double(), lambda x: x[:1]])
@pytest.mark.parametrize("first", [True, False])
def test_what_a_parametrization_must_keep(result, first):
    import veem

    for lib in veem, torch:
        module = linear(lib) if first else parametrized(lib, "doubled", 2)
        with pytest.raises(ValueError, match="must return|may not change"):
            lib.nn.utils.parametrize.register_parametrization(
                module, "weight", Both.wrong(lib, result)
            )


def test_strict_call():
    import veem

    for lib in veem, torch:
        for given in ({"weight": lib.ones(2, 3)}, {**ones(lib), "x": lib.ones(1)}):
            with pytest.raises(RuntimeError, match="key"):
                call(lib, given, lib.ones(3), strict=True)
