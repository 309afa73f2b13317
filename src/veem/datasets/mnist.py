"""MNIST (LeCun, Cortes, Burges) and Fashion-MNIST (Xiao, Rasul, Vollgraf)."""

from veem.datasets.files import Published, on_mirrors
from veem.datasets.idx import read_idx
from veem.datasets.images import LabelledImages

DIGITS = {  # what was published: bytes and SHA-256
    "train-images-idx3-ubyte.gz": (
        9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    "train-labels-idx1-ubyte.gz": (
        28881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    "t10k-images-idx3-ubyte.gz": (
        1648877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        4542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
}
CLOTHES = {
    "train-images-idx3-ubyte.gz": (
        26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    "train-labels-idx1-ubyte.gz": (
        29515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    "t10k-images-idx3-ubyte.gz": (
        4422102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        5148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}
DIGIT_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
CLOTHES_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
SIDE = 28
MOST = {True: 60000, False: 10000}  # images in the published training and test files


class MNIST(LabelledImages):
    """Handwritten digits in 28 x 28 pixels.

    Looked for in root/MNIST/raw where a root is given; in the folder mnist of the
    folder that the environment variable VEEM_DATA names, taken as it is; in the
    user's cache.
    With download=True files that are nowhere are fetched, into the root or the cache.
    Gives pairs of an image (uint8, 28 x 28) and a label; .data and .targets are the
    whole set, .tensors() gives it normalised.
    """

    name = "MNIST"
    mean, std = 0.1307, 0.3081
    published = Published(
        "MNIST",
        "mnist",
        "MNIST/raw",
        on_mirrors(DIGIT_MIRRORS, DIGITS),
        DIGITS,
        "; datasets.Digits needs no download",
    )

    def __init__(
        self,
        root=None,
        train=True,
        transform=None,
        target_transform=None,
        download=False,
    ):
        prefix = "train" if train else "t10k"
        names = [f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"]
        paths = self.published.paths(names, root, download)
        images = read_idx(paths[0], (SIDE, SIDE), MOST[train])
        labels = read_idx(paths[1], (), MOST[train])
        if len(images) != len(labels):
            raise ValueError(
                f"{paths[0]} has {len(images)} images and {paths[1]} {len(labels)} "
                "labels: they do not belong together"
            )
        if len(labels) and labels.max() >= len(self.classes):
            raise ValueError(
                f"{paths[1]}: label {labels.max()} is none of the "
                f"{len(self.classes)} classes"
            )
        super().__init__(images, labels, train, transform, target_transform)


class FashionMNIST(MNIST):
    """Clothes in 28 x 28 pixels, in MNIST's format and number: see there.

    Looked for in root/FashionMNIST/raw, in VEEM_DATA's folder fashion-mnist, in the
    cache.
    """

    name = "FashionMNIST"
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    mean, std = 0.2860, 0.3530
    published = Published(
        "FashionMNIST",
        "fashion-mnist",
        "FashionMNIST/raw",
        on_mirrors(CLOTHES_MIRRORS, CLOTHES),
        CLOTHES,
    )
