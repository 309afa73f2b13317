"""Other people's libraries take tensors. Each test needs the library it is about."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

import veem


def library(name):
    return pytest.importorskip(name, reason=f"needs `pip install {name}`")


# ---- einops --------------------------------------------------------------------------


def test_einops_gives_what_it_gives_of_arrays():
    einops = library("einops")
    x = veem.arange(24.0).reshape(2, 3, 4)
    for call in [
        lambda x: einops.rearrange(x, "b c d -> d (b c)"),
        lambda x: einops.rearrange(x, "b c (h w) -> b h w c", h=2),
        lambda x: einops.rearrange([x, x], "n b c d -> b n c d"),
        lambda x: einops.rearrange(x, "b c d -> b 1 c d"),
        lambda x: einops.repeat(x, "b c d -> b c (d r) k", r=2, k=3),
        lambda x: einops.reduce(x, "b c d -> b", "mean"),
        lambda x: einops.reduce(x, "b c d -> c", "sum"),
        lambda x: einops.reduce(x, "b c d -> 1 c 1", "max"),
        lambda x: einops.reduce(x, "b c d -> d", "min"),
        lambda x: einops.reduce(x, "b c d ->", "prod"),
        lambda x: einops.reduce(x > 3, "b c d -> b d", "any"),
        lambda x: einops.reduce(x > 3, "b c d -> b d", "all"),
        lambda x: einops.einsum(x, x[0], "b c d, c d -> b c"),
        lambda x: einops.pack([x, x[:, 0]], "b *")[0],
        lambda x: einops.unpack(x, [(1,), (2,)], "b * d")[1],
    ]:
        out = call(x)
        assert type(out) is veem.Tensor
        np.testing.assert_allclose(out, call(x.numpy()))
    assert einops.parse_shape(x, "b c _") == {"b": 2, "c": 3}
    assert einops.asnumpy(x).shape == (2, 3, 4)
    with pytest.raises(einops.EinopsError):
        einops.rearrange(x, "b c -> c b")
    with pytest.raises(NotImplementedError, match="reduce_mean is not available"):
        einops.reduce(x.long(), "b c d -> b", "mean")


def test_einops_records_gradients():
    einops = library("einops")
    x = veem.ones(2, 6, requires_grad=True)
    einops.reduce(
        einops.repeat(x, "a b -> a (b r)", r=2), "a b -> a", "mean"
    ).sum().backward()
    assert x.grad.allclose(veem.full((2, 6), 1 / 6))


@pytest.mark.parametrize("order", ["veem, einops", "einops, veem"])
def test_einops_may_be_imported_before_or_after(order):
    library("einops")
    code = (
        f"import {order}; print(einops.rearrange(veem.ones(2, 3), 'a b -> b a').shape)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout == "veem.Size([3, 2])\n", out.stderr


# ---- plots and bars ------------------------------------------------------------------


def test_matplotlib_draws_tensors():
    library("matplotlib").use("agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    x, image = veem.linspace(0, 1, 5), veem.rand(4, 5)
    figure, axes = pyplot.subplots()
    (line,) = axes.plot(x, x * x)
    np.testing.assert_array_equal(line.get_xydata(), veem.stack([x, x * x], 1))
    assert axes.scatter(x, x, c=x, s=veem.full((5,), 4.0)).get_offsets().shape == (5, 2)
    assert axes.hist(x, bins=5)[0].tolist() == [1] * 5
    np.testing.assert_array_equal(axes.imshow(image).get_array(), image)
    axes.bar(veem.arange(3), veem.ones(3))
    axes.fill_between(x, x - 1, x + 1)
    axes.errorbar(x, x, yerr=x)
    axes.set_xlim(x.min(), x.max())
    axes.axhline(x.mean())
    figure.canvas.draw()
    for draw in (axes.plot, axes.imshow, axes.hist):
        with pytest.raises(RuntimeError, match="requires grad"):
            draw(image.requires_grad_())
    with pytest.raises(RuntimeError, match="requires grad"):
        axes.scatter(image[0], image[0])
    pyplot.close(figure)


def test_tqdm_counts_tensors(capsys):
    tqdm = library("tqdm").tqdm
    bar = tqdm(veem.arange(3))
    assert [x.item() for x in bar] == [0, 1, 2] and bar.total == 3
    bar = tqdm(range(2))
    bar.set_postfix(loss=veem.tensor(0.25))
    assert "loss=" in str(bar)
    bar.set_description(f"loss {veem.tensor(0.25):.3f}")
    assert "loss 0.250" in str(bar)
    bar.close()


# ---- tables and pictures -------------------------------------------------------------


def test_pandas_takes_columns():
    pandas = library("pandas")
    x = veem.tensor([[1.0, 2.0], [3.0, 4.0]])
    table = pandas.DataFrame(x.numpy(), columns=["a", "b"])
    np.testing.assert_array_equal(veem.tensor(table.values), x)
    np.testing.assert_array_equal(veem.tensor(table["b"]), x[:, 1])
    assert pandas.Series(x[0]).tolist() == [1, 2]


def test_pictures():
    library("PIL")
    from PIL import Image

    x = veem.arange(12, dtype=veem.uint8).reshape(2, 2, 3)
    picture = Image.fromarray(x.numpy())
    assert picture.getpixel((1, 0)) == (3, 4, 5)
    np.testing.assert_array_equal(veem.tensor(np.asarray(picture)), x)


# ---- JAX -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int32", "float16", "bfloat16", "float32"]
)
def test_jax_shares_memory(dtype):
    jax = library("jax")
    x = veem.arange(6).to(getattr(veem, dtype)).reshape(2, 3)
    array = jax.dlpack.from_dlpack(x)
    assert array.dtype.name == dtype and array.tolist() == x.tolist()
    back = veem.from_dlpack(array)
    assert back.dtype is x.dtype and back.tolist() == x.tolist()
    assert back.data_ptr() == array.unsafe_buffer_pointer() == x.data_ptr()
    assert jax.numpy.from_dlpack(x[:0]).shape == (0, 3)
    assert float(jax.numpy.from_dlpack(x[0, 1])) == 1
    copy = veem.from_dlpack(jax.numpy.ones(3), copy=True)
    assert copy.tolist() == [1, 1, 1]
