"""Datasets, grids of images and networks, as torchvision has them."""

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

import veem

Image = pytest.importorskip("PIL.Image", reason="pip install pillow")
from veem.compat import torchvision  # noqa: E402
from veem.compat.torchvision import datasets, models, transforms, utils  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    """A folder with a small MNIST, whose name goes by `root`."""
    monkeypatch.delenv("VEEM_DATA", raising=False)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            file = raw / f"{prefix}-{name}-ubyte.gz"
            file.write_bytes(gzip.compress(head + array.tobytes()))
    return tmp_path


def test_mnist(mnist):
    found = datasets.MNIST(mnist, train=False)
    image, label = found[2]
    assert len(found) == 5 and label == 4 and type(label) is int
    assert image.mode == "L" and image.size == (28, 28)
    np.testing.assert_array_equal(np.asarray(image), IMAGES[2])
    assert found.data.dtype == veem.uint8 and found.data.shape == (5, 28, 28)
    assert found.targets.tolist() == LABELS.tolist()
    assert found.train_data is found.data and found.test_labels is found.targets
    assert found.classes[3] == "3 - three" and found.class_to_idx["3 - three"] == 3
    both = datasets.MNIST(
        root=str(mnist),
        transform=transforms.ToTensor(),
        target_transform=lambda label: label + 10,
        download=True,  # it is there: nothing is fetched
    )
    image, label = both[0]
    assert image.shape == (1, 28, 28) and image.dtype == veem.float32 and label == 13
    assert repr(both).splitlines() == [
        "Dataset MNIST",
        "    Number of datapoints: 5",
        f"    Root location: {mnist}",
        "    Split: Train",
        "    StandardTransform",
        *repr(both.transforms).splitlines()[1:],
    ]
    both.data, both.targets = both.data[:2], both.targets[:2]  # as programs cut it
    batches = list(veem.utils.data.DataLoader(both, batch_size=2))
    assert len(batches) == 1 and batches[0][0].shape == (2, 1, 28, 28)
    with pytest.raises(RuntimeError, match="download=True"):
        datasets.MNIST(mnist / "elsewhere")


def test_fashion_mnist(mnist):
    (mnist / "MNIST").rename(mnist / "FashionMNIST")
    found = datasets.FashionMNIST(mnist)
    assert len(found) == 5 and found[4][1] == 5
    assert found.classes[:2] == ["T-shirt/top", "Trouser"] and found.classes[9] == (
        "Ankle boot"
    )


@pytest.mark.parametrize("kind", [datasets.CIFAR10, datasets.CIFAR100])
def test_cifar(tmp_path, monkeypatch, kind):
    """Both published folders, of small batches."""
    monkeypatch.delenv("VEEM_DATA", raising=False)
    rows = np.random.default_rng(1).integers(0, 256, (2, 3072), dtype=np.uint8)
    if kind is datasets.CIFAR10:
        folder, key = tmp_path / "cifar-10-batches-py", "labels"
        names = [f"data_batch_{i}" for i in range(1, 6)]
    else:
        folder, key, names = tmp_path / "cifar-100-python", "fine_labels", ["train"]
    folder.mkdir()
    for name in names:
        batch = pickle.dumps({"data": rows, key: [3, 7]}, protocol=2)
        (folder / name).write_bytes(batch)
    found = kind(str(tmp_path), train=True)
    assert found.data.shape == (2 * len(names), 32, 32, 3)
    assert found.targets == [3, 7] * len(names)
    image, label = found[1]
    assert image.mode == "RGB" and label == 7
    expected = rows[1].reshape(3, 32, 32).transpose(1, 2, 0)
    np.testing.assert_array_equal(np.asarray(image), expected)
    names = {datasets.CIFAR10: (10, "truck"), datasets.CIFAR100: (100, "worm")}
    assert (len(found.classes), found.classes[-1]) == names[kind]


def test_fake_data():
    """Numbers of seed `index + random_offset`, and the generator as it was."""
    fake = datasets.FakeData(10, (3, 4, 5), num_classes=7, random_offset=100)
    veem.manual_seed(102)
    noise, label = veem.randn(3, 4, 5), veem.randint(0, 7, (1,)).item()
    pixels = (noise * 255).long().remainder(256).permute(1, 2, 0).numpy()
    veem.manual_seed(1)
    state = veem.get_rng_state()
    image, found = fake[2]
    assert veem.get_rng_state().equal(state)
    assert found == label
    np.testing.assert_array_equal(np.asarray(image), pixels)
    assert len(fake) == 10 and "Number of datapoints: 10" in repr(fake)
    with pytest.raises(IndexError):
        fake[10]


def test_image_folder(tmp_path):
    for i, name in enumerate(["dog/a.png", "cat/deep/b.JPEG", "cat/a.bmp"]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (i, i, i)).save(tmp_path / name)
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    found = datasets.ImageFolder(str(tmp_path), transforms.ToTensor())
    assert found.classes == ["cat", "dog"] and found.class_to_idx == {
        "cat": 0,
        "dog": 1,
    }
    assert found.targets == [0, 0, 1] and found.imgs is found.samples
    assert [path[len(str(tmp_path)) + 1 :] for path, _ in found.samples] == [
        "cat/a.bmp",
        "cat/deep/b.JPEG",
        "dog/a.png",
    ]
    image, label = found[0]
    assert image.shape == (3, 3, 4) and label == 0
    texts = datasets.DatasetFolder(
        tmp_path, lambda path: Path(path).read_text(), ("txt",), allow_empty=True
    )
    assert list(texts) == [("no image", 1)]
    (tmp_path / "bird").mkdir()
    with pytest.raises(FileNotFoundError, match="bird"):
        datasets.ImageFolder(tmp_path)
    assert len(datasets.ImageFolder(tmp_path, allow_empty=True)) == 3
    with pytest.raises(FileNotFoundError, match="class folder"):
        datasets.ImageFolder(tmp_path / "bird")


def test_what_is_refused():
    with pytest.raises(NotImplementedError, match="lmdb"):
        datasets.LSUN("root", classes=["bedroom_train"])
    with pytest.raises(AttributeError, match="there are .*MNIST"):
        datasets.ImageNet  # noqa: B018
    with pytest.raises(ValueError, match="PIL"):
        torchvision.set_image_backend("accimage")
    assert torchvision.get_image_backend() == "PIL"


def test_transforms_of_both():
    fake = datasets.vision.VisionDataset("root", transforms=lambda x, y: (y, x))
    assert fake.transforms(1, 2) == (2, 1)
    with pytest.raises(ValueError, match="Only transforms or"):
        datasets.VisionDataset("root", transforms=abs, transform=abs)


# ---- grids ---------------------------------------------------------------------------


def test_make_grid():
    images = veem.arange(5 * 3 * 2 * 2).view(5, 3, 2, 2).float()
    grid = utils.make_grid(images, nrow=3, padding=1, pad_value=-1.0)
    assert grid.shape == (3, 7, 10)
    for k in range(5):
        top, left = 1 + k // 3 * 3, 1 + k % 3 * 3
        assert grid[:, top : top + 2, left : left + 2].equal(images[k])
    assert (grid == -1).sum().item() == 3 * 70 - images.numel()
    assert utils.make_grid(images[:1]).equal(images[0])  # one image has no border
    gray = utils.make_grid([images[0, :1], images[1, :1]], padding=0)
    assert gray.shape == (3, 2, 4) and gray[0].equal(gray[2])
    assert utils.make_grid(images[0, 0]).shape == (3, 2, 2)
    scaled = utils.make_grid(images, normalize=True)
    assert scaled.min().item() == 0 and scaled.max().item() == 1
    each = utils.make_grid(images, normalize=True, scale_each=True, padding=0)
    assert each[:, :, :2].max().item() == 1
    held = utils.make_grid(images, normalize=True, value_range=(10, 20), padding=0)
    assert held[0, 0, 1].item() == 0 and held[2, 1, 9].item() == 1
    with pytest.raises(TypeError, match="list of tensors"):
        utils.make_grid(3)


def test_save_image(tmp_path):
    image = veem.tensor([0.0, 0.5, 1.0, 2.0, -1.0, 0.3]).view(1, 2, 3)
    utils.save_image(image, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as file:
        pixels = np.asarray(file)
    assert pixels.shape == (2, 3, 3)
    assert pixels[:, :, 0].tolist() == [[0, 128, 255], [255, 0, 77]]
    with open(tmp_path / "b", "wb") as file:
        utils.save_image([image, image], file, format="JPEG", nrow=1)
    with Image.open(tmp_path / "b") as image:
        assert image.size == (7, 10)


# ---- networks ------------------------------------------------------------------------

PUBLISHED_SIZES = {  # numbers of parameters, as torchvision documents them
    "resnet18": 11689512,
    "resnet34": 21797672,
    "resnet50": 25557032,
    "mobilenet_v2": 3504872,
}


@pytest.mark.parametrize("name", PUBLISHED_SIZES)
def test_sizes(name):
    network = getattr(models, name)()
    assert sum(p.numel() for p in network.parameters()) == PUBLISHED_SIZES[name]


def test_resnet18():
    veem.manual_seed(0)
    network = models.resnet18(weights=None, num_classes=5)
    keys = list(network.state_dict())
    assert keys[:3] == ["conv1.weight", "bn1.weight", "bn1.bias"]
    assert keys[-2:] == ["fc.weight", "fc.bias"] and len(keys) == 122
    assert "layer2.0.downsample.1.running_var" in keys
    assert "layer1.0.downsample.0.weight" not in keys
    assert network(veem.randn(2, 3, 33, 40)).shape == (2, 5)
    spread = network.conv1.weight.std().item()
    assert abs(spread / (2 / (64 * 49)) ** 0.5 - 1) < 0.02  # fan out
    names = [
        n for n, m in network.named_modules() if isinstance(m, veem.nn.BatchNorm2d)
    ]
    assert len(names) == 20


def test_residuals_begin_as_identity():
    small = {"layers": [1, 1, 1, 1], "num_classes": 2, "zero_init_residual": True}
    for block, last in (
        (models.resnet.BasicBlock, "bn2"),
        (models.resnet.Bottleneck, "bn3"),
    ):
        network = models.ResNet(block, width_per_group=64, **small)
        assert not getattr(network.layer3[0], last).weight.any()
        assert network.layer3[0].bn1.weight.all()
    wide = models.ResNet(
        models.resnet.Bottleneck,
        [1, 2, 1, 1],
        groups=4,
        width_per_group=8,
        replace_stride_with_dilation=[False, True, True],
        norm_layer=lambda channels: veem.nn.GroupNorm(4, channels),
    )
    assert wide.layer4[0].conv2.dilation == (2, 2)
    assert wide.layer2[0].conv2.groups == 4
    assert wide.eval()(veem.randn(1, 3, 32, 32)).shape == (1, 1000)


def test_vgg_and_mobilenet():
    features = models.vgg.make_layers([4, "M", 8], batch_norm=True)
    assert [type(m).__name__ for m in features] == [
        *("Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"),
        *("Conv2d", "BatchNorm2d", "ReLU"),
    ]
    network = models.mobilenet_v2(num_classes=3, width_mult=0.25).eval()
    assert network(veem.randn(1, 3, 32, 32)).shape == (1, 3)
    assert "features.1.conv.0.0.weight" in network.state_dict()
    assert models.vgg16.__name__ == "vgg16" and callable(models.alexnet)


def test_weights_come_from_files(tmp_path):
    path = tmp_path / "weights.pth"
    one = models.mobilenet_v2(num_classes=2, width_mult=0.25)
    veem.save(one.state_dict(), path)
    two = models.mobilenet_v2(weights=str(path), num_classes=2, width_mult=0.25)
    assert two.classifier[1].weight.equal(one.classifier[1].weight)
    for asked in ({"pretrained": True}, {"weights": models.ResNet18_Weights.DEFAULT}):
        with pytest.raises(NotImplementedError, match=r"resnet18-f37072fd\.pth"):
            models.resnet18(**asked)
