"""Transforms of images: beside Pillow and NumPy, and facts of torchvision's."""

import colorsys
import random

import numpy as np
import pytest

import veem

Image = pytest.importorskip("PIL.Image", reason="pip install pillow")
from veem.compat.torchvision import transforms as T  # noqa: E402

F = T.functional
RNG = np.random.default_rng(1)
PIXELS = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
BYTES = veem.from_numpy(PIXELS.transpose(2, 0, 1).copy())
FLOATS = BYTES.float() / 255
IMAGES = pytest.mark.parametrize(
    "image", [PICTURE, BYTES, FLOATS], ids="pil u8 f".split()
)


def array(image):
    """(H, W, C) in [0, 255], of an image in any form."""
    if isinstance(image, veem.Tensor):
        scaled = image * 255 if image.is_floating_point() else image
        return scaled.permute(1, 2, 0).numpy()
    pixels = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def test_to_tensor():
    assert F.to_tensor(PICTURE).dtype == veem.float32
    np.testing.assert_array_equal(
        F.to_tensor(PICTURE).numpy(),
        PIXELS.transpose(2, 0, 1).astype(np.float32) / np.float32(255),
    )
    assert F.to_tensor(PIXELS).equal(F.to_tensor(PICTURE))
    assert F.to_tensor(PIXELS[:, :, 0]).shape == (1, 23, 31)
    kept = F.to_tensor(PIXELS.astype(np.float64))  # no bytes: as they are
    assert kept.dtype == veem.float64 and kept.max().item() == PIXELS.max()
    assert F.to_tensor(PICTURE.convert("1")).unique().tolist() == [0.0, 1.0]
    assert F.to_tensor(Image.new("I", (3, 2), 70000)).tolist() == [[[70000] * 3] * 2]
    assert F.to_tensor(Image.new("F", (1, 1), 0.5)).item() == 0.5
    assert F.to_tensor(Image.new("I;16", (1, 1), 300)).item() == 300
    with pytest.raises(TypeError, match="PIL Image or ndarray"):
        F.to_tensor([1])
    with pytest.raises(ValueError, match="2/3 dimensional"):
        F.to_tensor(np.zeros(3))


def test_to_pil_image_and_back():
    for image in (BYTES, FLOATS, PIXELS, PIXELS.astype(np.float32) / 255):
        made = F.to_pil_image(image)
        assert made.mode == "RGB" and made.size == (31, 23)
    np.testing.assert_array_equal(F.pil_to_tensor(F.to_pil_image(BYTES)), BYTES)
    assert T.PILToTensor()(PICTURE).equal(BYTES)
    assert F.to_pil_image(BYTES[0]).mode == "L"
    assert F.to_pil_image(FLOATS[0], "F").mode == "F"
    assert F.to_pil_image(veem.zeros(2, 3, 3)).mode == "LA"
    assert F.to_pil_image(veem.zeros(4, 3, 3), "CMYK").mode == "CMYK"
    assert F.to_pil_image(BYTES.int()[:1]).mode == "I"
    assert F.to_pil_image(BYTES, "HSV").mode == "HSV"
    for wrong, kind in (([1], TypeError), (veem.zeros(5, 2, 2), ValueError)):
        with pytest.raises(kind):
            F.to_pil_image(wrong)
    with pytest.raises(ValueError, match="Incorrect mode"):
        F.to_pil_image(BYTES[0], "RGB")


def test_convert_image_dtype():
    assert F.convert_image_dtype(FLOATS, veem.uint8).equal(BYTES)
    assert F.convert_image_dtype(BYTES).equal(FLOATS)
    wide = F.convert_image_dtype(BYTES, veem.int16)
    assert wide.max().item() == 128 * BYTES.max().item()
    assert F.convert_image_dtype(wide, veem.uint8).equal(BYTES)
    with pytest.raises(RuntimeError, match="cannot be performed safely"):
        F.convert_image_dtype(FLOATS, veem.int32)


def test_normalize():
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    found = T.Normalize(mean, std)(FLOATS)
    expected = (array(FLOATS) / 255 - mean) / std
    np.testing.assert_allclose(found.permute(1, 2, 0).numpy(), expected, atol=1e-5)
    assert T.Normalize(0.5, 0.5)(FLOATS).equal((FLOATS - 0.5) / 0.5)
    own = FLOATS.clone()
    assert T.Normalize(mean, std, inplace=True)(own) is own and own.equal(found)
    with pytest.raises(TypeError, match="float tensor"):
        F.normalize(BYTES, mean, std)
    with pytest.raises(ValueError, match="zero"):
        F.normalize(FLOATS, mean, (1, 0, 1))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("form", ["pil", "u8", "f"])
def test_resize_as_pillow_does(form, mode):
    """Pillow smooths what it shrinks, in steps of a byte; so do tensors."""
    mode = T.InterpolationMode(mode)
    # Far from black and white: Pillow cuts what overshoots after either dimension.
    picture = Image.fromarray(PIXELS // 4 + 96)
    tensor = F.pil_to_tensor(picture)
    image = {"pil": picture, "u8": tensor, "f": tensor.float() / 255}[form]
    for size in ((9, 12), (40, 50), (10, 60)):
        found = F.resize(image, size, mode)
        assert F.get_dimensions(found) == [3, *size]
        expected = np.asarray(picture.resize(size[::-1], mode.pil)).astype(float)
        assert abs(array(found).astype(float) - expected).max() <= 1.5


@IMAGES
def test_resize_keeps_proportions(image):
    size = lambda *args, **more: F.get_dimensions(F.resize(image, *args, **more))[1:]
    assert size(10) == [10, 13]
    assert size([46]) == [46, 62]
    assert size(40, max_size=50) == [37, 50]
    assert F.resize(image, 23) is image
    with pytest.raises(ValueError, match="strictly greater"):
        size(40, max_size=40)
    with pytest.raises(TypeError, match="int or sequence"):
        size(4.0)
    assert T.Resize(5, interpolation=0).interpolation == T.InterpolationMode.NEAREST


@IMAGES
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_pad(image, mode):
    left, top, right, bottom = 1, 2, 3, 4
    found = T.Pad((left, top, right, bottom), padding_mode=mode)(image)
    sides = ((top, bottom), (left, right), (0, 0))
    assert np.allclose(array(found), np.pad(array(image), sides, mode))
    assert F.get_dimensions(F.pad(image, (1, 2))) == [3, 27, 33]
    assert F.get_dimensions(F.pad(image, [2])) == [3, 27, 35]
    for wrong, kind in (((1, 2, 3), ValueError), ("2", TypeError)):
        with pytest.raises(kind):
            F.pad(image, wrong)
    with pytest.raises(ValueError, match="constant, edge, reflect or symmetric"):
        T.Pad(1, padding_mode="wrap")


def test_pad_with_colours():
    assert F.pad(PICTURE, 1, (1, 2, 3)).getpixel((0, 0)) == (1, 2, 3)
    assert F.pad(PICTURE.convert("L"), 1, 9).getpixel((0, 0)) == 9
    assert F.pad(FLOATS, 1, 0.5)[0, 0, 0].item() == 0.5
    with pytest.raises(ValueError, match="number of channels"):
        F.pad(PICTURE, 1, (1, 2))


@IMAGES
def test_crops_and_flips(image):
    pixels = array(image)
    same = lambda found, expected: np.testing.assert_array_equal(array(found), expected)
    same(F.crop(image, 2, 3, 5, 7), pixels[2:7, 3:10])
    padded = np.pad(pixels, ((2, 2), (2, 2), (0, 0)))
    same(F.crop(image, -2, -2, 10, 10), padded[:10, :10])
    same(F.crop(image, 20, 28, 5, 5), padded[22:27, 30:35])
    same(F.center_crop(image, (10, 12)), pixels[6:16, 10:22])  # halves go to even
    same(F.center_crop(image, (23, 34)), np.pad(pixels, ((0, 0), (1, 2), (0, 0))))
    same(F.hflip(image), pixels[:, ::-1])
    same(F.vflip(image), pixels[::-1])
    corners = T.FiveCrop(6)(image)
    same(corners[0], pixels[:6, :6])
    same(corners[3], pixels[-6:, -6:])
    ten = F.ten_crop(image, 6)
    assert len(ten) == 10
    same(ten[5], pixels[:6, ::-1][:, :6])
    with pytest.raises(ValueError, match="bigger than"):
        F.five_crop(image, 100)


@pytest.mark.parametrize("settings", [{}, {"expand": True}, {"center": (3, 5)}])
@pytest.mark.parametrize("angle", [30, -75, 90])
def test_rotate_as_pillow_does(angle, settings):
    found, expected = (
        F.rotate(BYTES, angle, **settings),
        F.rotate(PICTURE, angle, **settings),
    )
    assert F.get_dimensions(found) == F.get_dimensions(expected)
    differing = (array(found) != array(expected)).any(-1).mean()
    assert differing < 0.03  # nearest pixels of places half way


def test_affine_as_pillow_does():
    how = (20, (3, -2), 1.2, (10, 5))
    found, expected = (F.affine(image, *how, fill=7) for image in (BYTES, PICTURE))
    assert (array(found) != array(expected)).any(-1).mean() < 0.03
    smooth = F.affine(FLOATS, *how, T.InterpolationMode.BILINEAR, fill=[0.5])
    assert smooth[0, 0, 0].item() == 0.5
    with pytest.raises(ValueError, match="positive"):
        F.affine(BYTES, 0, (0, 0), 0, 0)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
@pytest.mark.parametrize("factor", [0, 0.4, 1, 1.7])
def test_colours_as_pillow_does(name, factor):
    change = getattr(F, f"adjust_{name}")
    expected = np.asarray(change(PICTURE, factor)).astype(float)
    for image in (BYTES, FLOATS):
        assert abs(array(change(image, factor)) - expected).max() <= 2.01
    with pytest.raises(ValueError, match="non-negative"):
        change(BYTES, -1)


def test_hue():
    found = array(F.adjust_hue(FLOATS, 0.3)).reshape(-1, 3) / 255
    for rgb, new in zip(PIXELS.reshape(-1, 3)[:200] / 255, found):
        hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
        expected = colorsys.hsv_to_rgb((hue + 0.3) % 1, saturation, value)
        np.testing.assert_allclose(new, expected, atol=1e-5)
    grays = veem.full((3, 2, 2), 0.25)
    assert F.adjust_hue(grays, 0.1).equal(grays)
    assert F.adjust_hue(PICTURE, -0.5).mode == "RGB"
    with pytest.raises(ValueError, match="not in"):
        F.adjust_hue(BYTES, 0.6)


@IMAGES
def test_gray_gamma_inverse(image):
    expected = np.asarray(PICTURE.convert("L"))
    gray = array(T.Grayscale()(image))[:, :, 0]
    assert abs(gray.astype(float) - expected).max() <= 1.5
    three = array(T.Grayscale(3)(image))
    assert three.shape == (23, 31, 3) and (three[:, :, 0] == three[:, :, 2]).all()
    bright = array(F.adjust_gamma(image, 0.5)).astype(float)
    assert abs(bright - 255 * (PIXELS / 255) ** 0.5).max() <= 1.01
    assert abs(array(F.invert(image)).astype(float) - (255.0 - PIXELS)).max() < 1e-3


def test_blur_and_erase():
    spot = veem.zeros(1, 9, 9)
    spot[0, 4, 4] = 1
    blurred = F.gaussian_blur(spot, 5, 1.0)
    bell = np.exp(-0.5 * np.arange(-2, 3) ** 2)
    bell /= bell.sum()
    np.testing.assert_allclose(blurred[0, 2:7, 2:7], np.outer(bell, bell), atol=1e-6)
    wide = F.gaussian_blur(spot, (5, 1), (1.0, 1.0))  # along x only
    np.testing.assert_allclose(wide[0, 4, 2:7], bell, atol=1e-6)
    assert F.gaussian_blur(PICTURE, 3).mode == "RGB"
    erased = F.erase(FLOATS, 1, 2, 3, 4, veem.tensor(9.0))
    assert (erased[:, 1:4, 2:6] == 9).all() and FLOATS.max() <= 1
    with pytest.raises(ValueError, match="odd"):
        F.gaussian_blur(BYTES, 4)


# ---- chance --------------------------------------------------------------------------


@IMAGES
def test_random_crops_take_two_numbers(image):
    """The order of draws, written down: top, then left, of what is left over."""
    veem.manual_seed(7)
    top, left = (veem.randint(0, n, size=(1,)).item() for n in (23 + 4 - 9, 31 + 4 - 8))
    veem.manual_seed(7)
    found = T.RandomCrop((10, 9), padding=2)(image)
    padded = np.pad(array(image), ((2, 2), (2, 2), (0, 0)))
    np.testing.assert_array_equal(array(found), padded[top : top + 10, left : left + 9])


def test_random_crop_of_all_draws_nothing():
    state = veem.get_rng_state()
    assert T.RandomCrop((23, 31))(BYTES).equal(BYTES)
    assert veem.get_rng_state().equal(state)
    assert F.get_dimensions(T.RandomCrop(40, pad_if_needed=True)(BYTES)) == [3, 40, 40]
    with pytest.raises(ValueError, match="larger than"):
        T.RandomCrop(40)(BYTES)
    with pytest.raises(ValueError, match="two dimensions"):
        T.RandomCrop((1, 2, 3))


@pytest.mark.parametrize(
    "flip, axis", [(T.RandomHorizontalFlip, 1), (T.RandomVerticalFlip, 0)]
)
def test_random_flips_take_one_number(flip, axis):
    veem.manual_seed(3)
    draws = [veem.rand(1).item() for _ in range(20)]
    veem.manual_seed(3)
    for draw in draws:
        found = array(flip(0.3)(PICTURE))
        expected = np.flip(PIXELS, axis) if draw < 0.3 else PIXELS
        np.testing.assert_array_equal(found, expected)


def test_random_resized_crop():
    veem.manual_seed(11)
    area = veem.empty(1).uniform_(0.2, 0.5).item() * 23 * 31
    low, high = veem.tensor((0.5, 2.0)).log().tolist()
    ratio = veem.empty(1).uniform_(low, high).exp().item()
    wide, tall = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
    top = veem.randint(0, 23 - tall + 1, size=(1,)).item()
    left = veem.randint(0, 31 - wide + 1, size=(1,)).item()
    veem.manual_seed(11)
    crop = T.RandomResizedCrop(8, scale=(0.2, 0.5), ratio=(0.5, 2.0))
    expected = F.resize(F.crop(PICTURE, top, left, tall, wide), (8, 8))
    np.testing.assert_array_equal(array(crop(PICTURE)), array(expected))
    middle = T.RandomResizedCrop.get_params(BYTES, (3.0, 4.0), (1.0, 1.1))  # never fits
    assert middle == (0, 3, 23, 25)


def test_random_amounts():
    veem.manual_seed(2)
    angle = veem.empty(1).uniform_(-30.0, 30.0).item()
    veem.manual_seed(2)
    found = T.RandomRotation(30)(PICTURE)
    np.testing.assert_array_equal(array(found), array(F.rotate(PICTURE, angle)))

    veem.manual_seed(2)
    order = veem.randperm(4).tolist()
    factors = [veem.empty(1).uniform_(*r).item() for r in ((0.5, 1.5), (0.8, 1.2))]
    veem.manual_seed(2)
    found = T.ColorJitter(brightness=0.5, saturation=0.2)(BYTES)
    changes = {
        0: (F.adjust_brightness, factors[0]),
        2: (F.adjust_saturation, factors[1]),
    }
    expected = BYTES
    for i in order:
        if i in changes:
            expected = changes[i][0](expected, changes[i][1])
    assert found.equal(expected)
    for settings in ({"brightness": -1}, {"hue": 0.7}, {"contrast": (2, 1)}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            T.ColorJitter(**settings)


def test_random_erasing():
    veem.manual_seed(0)
    found = T.RandomErasing(1.0, value=5)(FLOATS)
    rows, columns = (found[0] == 5).nonzero().numpy().T
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert len(rows) == height * width
    assert 0.015 < height * width / (23 * 31) < 0.36
    kept = (found != 5).numpy()
    np.testing.assert_array_equal(found.numpy()[kept], FLOATS.numpy()[kept])
    assert T.RandomErasing(0.0)(FLOATS) is FLOATS


def test_choices_among_transforms():
    pads = [T.Pad(1), T.Pad(2)]
    random.seed(0)
    chosen = [random.choices([1, 2])[0] for _ in range(10)]
    random.seed(0)
    sizes = [(T.RandomChoice(pads)(BYTES).shape[1] - 23) // 2 for _ in range(10)]
    assert sizes == chosen
    assert T.RandomOrder(pads)(BYTES).shape == (3, 29, 37)
    assert T.RandomApply(pads, p=0.0)(BYTES) is BYTES
    assert T.RandomApply(pads, p=1.0)(BYTES).shape == (3, 29, 37)
    assert T.RandomGrayscale(1.0)(BYTES).shape == BYTES.shape
    assert T.Lambda(lambda x: x + 1)(1) == 2
    with pytest.raises(TypeError, match="callable"):
        T.Lambda(3)


def test_linear_transformation():
    turn = T.LinearTransformation(2 * veem.eye(12), veem.ones(12))
    image = veem.rand(3, 2, 2)
    assert turn(image).allclose(2 * (image - 1))
    with pytest.raises(ValueError, match="square"):
        T.LinearTransformation(veem.zeros(2, 3), veem.zeros(2))


def test_repr():
    steps = [
        T.Resize(8),
        T.RandomCrop(4, padding=1),
        T.RandomHorizontalFlip(),
        T.ToTensor(),
    ]
    assert repr(T.Compose([*steps, T.Normalize((0.5,), (0.5,))])) == (
        "Compose(\n"
        "    Resize(size=8, interpolation=bilinear, max_size=None, antialias=True)\n"
        "    RandomCrop(size=(4, 4), padding=1)\n"
        "    RandomHorizontalFlip(p=0.5)\n"
        "    ToTensor()\n"
        "    Normalize(mean=(0.5,), std=(0.5,))\n"
        ")"
    )
    assert repr(T.CenterCrop(3)) == "CenterCrop(size=(3, 3))"
    assert repr(T.RandomRotation(9)) == (
        "RandomRotation(degrees=[-9.0, 9.0], interpolation=nearest, expand=False, "
        "fill=0)"
    )
    assert repr(T.RandomResizedCrop(4)) == (
        "RandomResizedCrop(size=(4, 4), scale=(0.08, 1.0), ratio=(0.75, 1.3333), "
        "interpolation=bilinear, antialias=True)"
    )
