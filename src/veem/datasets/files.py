"""Where published files are: in a folder that is named, in the cache, on the net.

And how files are read that may be cut, damaged, or made to do harm: nothing is believed
that a file says of itself, and memory grows only with bytes that are really there.
"""

import contextlib
import dataclasses
import gzip
import os
import zlib
from pathlib import Path

from veem.datasets.download import download

CHUNK = 1 << 18


def cache_folder():
    """Where downloads are kept: $XDG_CACHE_HOME/veem, by default ~/.cache/veem."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "veem"


@dataclasses.dataclass
class Published:
    """Files that somebody published: their names, what they must be, where they lie.

    folder: below the folder that VEEM_DATA names, and below the cache. under_root:
    below a root that a user names, as torchvision has it. urls: from a name to its
    mirrors. files: from a name to bytes and SHA-256.
    """

    title: str
    folder: str
    under_root: str
    urls: dict
    files: dict
    instead: str = ""  # what does without these files

    def paths(self, names, root, fetch):
        """The files of these names, zipped or not, all from one folder.

        fetch: download what is nowhere. RuntimeError that says what to do otherwise.
        """
        return self.find(names, root) or self._fetch(names, root, fetch)

    def find(self, names, root):
        """Their paths in the first folder that has them all, or None."""
        for folder in self.folders(root):
            paths = [_either(folder / name) for name in names]
            if all(paths):
                return paths
        return None

    def folders(self, root):
        """A root comes first, then VEEM_DATA; the cache is for those without a root."""
        folders = [self._own(root)]
        if os.environ.get("VEEM_DATA"):
            given = Path(os.environ["VEEM_DATA"]) / self.folder
            folders.insert(1 if root is not None else 0, given)
        return folders

    def _own(self, root):
        if root is None:
            return cache_folder() / self.folder
        return Path(root) / self.under_root

    def _fetch(self, names, root, wanted):
        folder = self._own(root)
        hint = (
            f"put {' and '.join(names)} into {folder}, or set VEEM_DATA to a folder "
            f"that has them in its folder {self.folder}{self.instead}"
        )
        if not wanted:
            raise RuntimeError(f"{self.title}: not found; use download=True, or {hint}")
        try:
            return [download(n, self.urls[n], folder, *self.files[n]) for n in names]
        except (RuntimeError, OSError) as error:
            raise RuntimeError(
                f"{self.title}: {error}. Without a network {hint}"
            ) from None


def on_mirrors(mirrors, names):
    """The urls of files that have their names on every mirror."""
    return {name: [mirror + name for mirror in mirrors] for name in names}


def _either(path):
    return next((p for p in (path, path.with_suffix("")) if p.is_file()), None)


@contextlib.contextmanager
def plain(path):
    """A file's bytes as a stream, unzipped if they are gzipped.

    ValueError where the gzip stream turns out to be damaged.
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            yield gzip.GzipFile(fileobj=file) if zipped else file
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: the gzip stream is damaged: {error}") from None


def read_up_to(stream, size):
    """So many bytes, or what is there of them."""
    body = bytearray()
    while part := stream.read(min(CHUNK, size - len(body))):
        body += part
    return body
