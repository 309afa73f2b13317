"""Downloads: from several mirrors, resumed where they broke off, checked at the end."""

import hashlib
import http.client
import importlib.util
import sys
import urllib.request
from pathlib import Path

TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 16


def download(name, urls, folder, size, sha256):
    """Fetches a file of known size and checksum into a folder; returns its path.

    urls: where it is to be had, in the order in which they are tried.

    What has arrived is kept as NAME.part, and the next attempt goes on from there. The
    file gets its name only when it is whole and right. RuntimeError with every mirror's
    reason where none could give it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    part, failures = folder / f"{name}.part", []
    for url in urls:
        try:
            _fetch(url, part, size)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url}: {error}")
            continue
        found = _checksum(part)
        if found == sha256:
            return part.replace(folder / name)
        part.unlink()
        failures.append(f"{url}: checksum {found[:12]}..., not {sha256[:12]}...")
    raise RuntimeError(f"{name} could not be downloaded: " + "; ".join(failures))


def _checksum(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _fetch(url, part, size):
    """Brings `part` to `size` bytes, asking only for those that it lacks."""
    have = part.stat().st_size if part.exists() else 0
    if have >= size:  # whole; the checksum will tell whether it is right
        return
    request = urllib.request.Request(url, headers={"User-Agent": "veem"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        if answer.status != 206:  # the server sends all of it again
            have = 0
        with open(part, "ab" if have else "wb") as file, _progress(url, size) as bar:
            bar.update(have)
            # Never more than was promised, whatever the server sends.
            while have < size and (chunk := answer.read(min(CHUNK, size - have))):
                have += file.write(chunk)
                bar.update(len(chunk))
    if have < size:
        raise ValueError(f"the connection ended after {have} of {size} bytes")


def _progress(url, size):
    label = url.rpartition("/")[2]
    if importlib.util.find_spec("tqdm") is None:
        return _Percent(label, size)
    from tqdm import tqdm

    return tqdm(desc=label, total=size, unit="B", unit_scale=True)


class _Percent:
    """A line that counts to 100 %, where tqdm is not installed."""

    def __init__(self, label, size):
        self.label, self.size, self.done, self.shown = label, size, 0, -1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        print(file=sys.stderr)

    def update(self, n):
        self.done += n
        percent = 100 * self.done // self.size
        if percent != self.shown:
            self.shown = percent
            print(f"\r{self.label}: {percent} %", end="", file=sys.stderr, flush=True)
