"""Text to learn from: characters as numbers, windows of a text, lines."""

import numpy as np

from veem import creation
from veem.datasets.files import Published
from veem.utils.data import Dataset

SOURCES = "https://raw.githubusercontent.com/karpathy/"
TEXTS = Published(
    "text",
    "text",
    "",
    {
        "tinyshakespeare.txt": [
            SOURCES + "char-rnn/master/data/tinyshakespeare/input.txt",
            "https://raw.githubusercontent.com/jcjohnson/torch-rnn/master/data/"
            "tiny-shakespeare.txt",
        ],
        "names.txt": [SOURCES + "makemore/master/names.txt"],
    },
    {  # bytes and SHA-256
        "tinyshakespeare.txt": (
            1115394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
        "names.txt": (
            228145,
            "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
        ),
    },
)


class Alphabet:
    """The characters of a text, numbered: `Alphabet("abba").encode("ab")`.

    texts: a string, or several; the numbers are in the order of the characters. edge: a
    character for the start and the end of a line, which gets number 0.
    """

    def __init__(self, texts, edge=""):
        found = set("".join(texts))
        if edge in found and edge:
            raise ValueError(f"Alphabet: {edge!r} is in the text, it can be no edge")
        self.characters = edge + "".join(sorted(found))
        self._numbers = {c: i for i, c in enumerate(self.characters)}

    def encode(self, text):
        """The numbers of a text's characters: int64 (len(text))."""
        try:
            numbers = [self._numbers[c] for c in text]
        except KeyError as error:
            raise ValueError(
                f"Alphabet: {error} is none of its {len(self)} characters"
            ) from None
        return creation.from_numpy(np.array(numbers, np.int64))

    def decode(self, numbers):
        """The text of some numbers, from a tensor (n) or a list."""
        return "".join(self.characters[int(i)] for i in numbers)

    def __len__(self):
        return len(self.characters)

    def __repr__(self):
        return f"Alphabet({self.characters!r})"


class Windows(Dataset):
    """Every stretch of `length` numbers, with the same one number further on.

    numbers: (n), as Alphabet.encode gives them. Sample i is a pair x, y of (length):
    y[t] is what follows x[: t + 1]. There are n - length of them.
    """

    def __init__(self, numbers, length):
        if not 0 < length < len(numbers):
            raise ValueError(
                f"Windows: a text of {len(numbers)} characters has none of length "
                f"{length}; from 1 to {len(numbers) - 1} would do"
            )
        self.numbers, self.length = numbers, length

    def __getitem__(self, index):
        if not -len(self) <= index < len(self):
            raise IndexError(f"Windows: there are {len(self)}, no {index}")
        start = index % len(self)
        end = start + self.length
        return self.numbers[start:end], self.numbers[start + 1 : end + 1]

    def __getitems__(self, indices):
        return [self[i] for i in indices]

    def __len__(self):
        return len(self.numbers) - self.length


class Lines(Dataset):
    """The lines of a text file, each a str, or what transform makes of it."""

    def __init__(self, path, transform=None):
        self.lines = read_text(path).splitlines()
        self.transform = transform

    def __getitem__(self, index):
        line = self.lines[index]
        return line if self.transform is None else self.transform(line)

    def __len__(self):
        return len(self.lines)


class TinyShakespeare(Windows):
    """A million characters of Shakespeare's, to predict the next one of.

    The first nine tenths are to train on, the rest to test with. `.text`, `.alphabet`
    (of the whole, 65 characters), `.numbers`; samples are those of Windows.
    Looked for, as tinyshakespeare.txt, in the root, in VEEM_DATA's folder text, in the
    user's cache; with download=True it is fetched.
    """

    def __init__(self, length=256, root=None, train=True, download=False):
        (path,) = TEXTS.paths(["tinyshakespeare.txt"], root, download)
        text = read_text(path)
        self.alphabet = Alphabet(text)
        middle = len(text) * 9 // 10
        self.text = text[:middle] if train else text[middle:]
        super().__init__(self.alphabet.encode(self.text), length)


class Names(Lines):
    """32,033 given names in lower case, a str each, or what transform makes of them.

    `.alphabet` has "." for their edges: alphabet.encode(f".{name}.") is what a model
    learns from. Looked for, as names.txt, where TinyShakespeare is.
    """

    def __init__(self, root=None, transform=None, download=False):
        (path,) = TEXTS.paths(["names.txt"], root, download)
        super().__init__(path, transform)
        self.alphabet = Alphabet(self.lines, edge=".")


def read_text(path):
    """A text file's contents. ValueError, naming the byte, where it is not UTF-8."""
    with open(path, encoding="utf-8", newline="") as file:
        try:
            return file.read()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: not a text in UTF-8: byte {error.start}: {error.reason}"
            ) from None
