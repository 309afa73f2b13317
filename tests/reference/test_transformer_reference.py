"""Attention and Transformer layers beside PyTorch's, of one seed."""

import numpy as np
import pytest
from test_recurrent_reference import compare, normal, pair

torch = pytest.importorskip("torch")

import veem  # noqa: E402

LIBS = (veem, torch)
# PyTorch says why it does not use another kernel.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor")


def bools(*shape):
    """Some true, but none of a row's first."""
    x = np.random.default_rng(1).random(shape) < 0.4
    x[..., 0] = False
    return x


HEADS = [
    ({}, {}),
    ({"bias": False, "batch_first": True}, {"average_attn_weights": False}),
    ({"add_bias_kv": True, "add_zero_attn": True}, {"need_weights": False}),
    ({"kdim": 3, "vdim": 5}, {}),
    ({"dropout": 0.4}, {}),
]


@pytest.mark.parametrize("masked", ["no", "bool", "float", "each"])
@pytest.mark.parametrize(("made", "called"), HEADS)
def test_multihead(made, called, masked):
    layers = pair("MultiheadAttention", (8, 2), made)
    k, v = made.get("kdim", 8), made.get("vdim", 8)
    arrays = normal(4, 3, 8), normal(5, 3, k), normal(5, 3, v)
    if made.get("batch_first"):
        arrays = [a.transpose(1, 0, 2).copy() for a in arrays]

    def call(lib, layer, q, k, v):
        masks = {}
        if masked != "no":
            masks["key_padding_mask"] = lib.tensor(bools(3, 5))
        if masked == "bool":
            masks["attn_mask"] = lib.tensor(bools(4, 5))
        if masked in ("float", "each"):
            shape = (4, 5) if masked == "float" else (6, 4, 5)
            masks["attn_mask"] = lib.tensor(normal(*shape))
            if lib is torch:  # which wants both of one kind
                padding = torch.zeros(3, 5).masked_fill(
                    masks["key_padding_mask"], -np.inf
                )
                masks["key_padding_mask"] = padding
        out, weights = layer(q, k, v, **called, **masks)
        return [out] if weights is None else [out, weights]

    compare(layers, call, *arrays)


def test_self_attention_without_a_batch():
    layers = pair("MultiheadAttention", (8, 4), {})
    compare(layers, lambda lib, layer, x: layer(x, x, x), normal(5, 8))


OPTIONS = [
    {},
    {"batch_first": True, "norm_first": True, "activation": "gelu", "bias": False},
    {"dropout": 0.0},
]


@pytest.mark.parametrize("kwargs", OPTIONS)
def test_encoder_layer(kwargs):
    layers = pair("TransformerEncoderLayer", (8, 2, 16), kwargs)
    compare(layers, lambda lib, layer, x: layer(x), normal(4, 3, 8))

    def causal(lib, layer, x):
        length = x.shape[1 if kwargs.get("batch_first") else 0]
        mask = lib.nn.Transformer.generate_square_subsequent_mask(length)
        return layer(x, mask, is_causal=True)

    compare(layers, causal, normal(4, 3, 8))


@pytest.mark.parametrize("kwargs", OPTIONS)
def test_decoder_layer(kwargs):
    layers = pair("TransformerDecoderLayer", (8, 2, 16), kwargs)
    first = kwargs.get("batch_first")
    arrays = (normal(3, 4, 8), normal(3, 6, 8)) if first else (normal(4, 3, 8),) * 2
    compare(layers, lambda lib, layer, x, m: layer(x, m), *arrays)


def test_stacks():
    found = []
    for lib in LIBS:
        lib.manual_seed(3)
        nn = lib.nn
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0)
        stack = nn.TransformerEncoder(
            layer, 2, nn.LayerNorm(8), enable_nested_tensor=False
        )
        mask = nn.Transformer.generate_square_subsequent_mask(4)
        x = lib.tensor(normal(4, 3, 8))
        padding = lib.tensor(bools(3, 4))
        outs = [stack(x), stack(x, mask), stack(x, None, padding)]
        outs.append(stack.train(False)(x, mask, padding.float() * -1e9))
        found.append([*outs, *stack.state_dict().values()])
    for a, b in zip(*found):
        np.testing.assert_allclose(
            a.numpy(force=True), b.numpy(force=True), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("batch_first", [False, True])
def test_transformer(batch_first):
    args = (8, 2, 2, 2, 16)
    layers = pair("Transformer", args, {"dropout": 0.1, "batch_first": batch_first})

    def call(lib, layer, src, tgt):
        length = tgt.shape[1 if batch_first else 0]
        mask = layer.generate_square_subsequent_mask(length)
        return layer(src, tgt, tgt_mask=mask)

    shapes = ((3, 6, 8), (3, 4, 8)) if batch_first else ((6, 3, 8), (4, 3, 8))
    compare(layers, call, *(normal(*s) for s in shapes))


def test_errors():
    x = {lib: lib.ones(4, 2, 8) for lib in LIBS}
    for make in (
        lambda lib: lib.nn.MultiheadAttention(8, 3),
        lambda lib: lib.nn.MultiheadAttention(0, 3),
        lambda lib: lib.nn.MultiheadAttention(8, 2)(*[lib.ones(4, 2, 6)] * 3),
        lambda lib: lib.nn.MultiheadAttention(8, 2)(*[x[lib]] * 3, is_causal=True),
        lambda lib: lib.nn.MultiheadAttention(8, 2)(
            *[x[lib]] * 3, attn_mask=lib.ones(3, 4)
        ),
        lambda lib: lib.nn.MultiheadAttention(8, 2)(
            *[x[lib]] * 3, key_padding_mask=lib.ones(3, 4)
        ),
        lambda lib: lib.nn.TransformerEncoderLayer(8, 2, activation="tanh"),
        lambda lib: lib.nn.Transformer(8, 2, 1, 1)(x[lib], lib.ones(4, 3, 8)),
        lambda lib: lib.nn.Transformer(8, 2, 1, 1)(x[lib], lib.ones(4, 2, 7)),
    ):
        with pytest.raises(Exception) as theirs:  # noqa: PT011
            make(torch)
        with pytest.raises(theirs.type):
            make(veem)
