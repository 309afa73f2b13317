"""Reading single files out of a tar archive, zipped or not.

Only headers and the contents that are asked for are held in memory; links, long names
and whatever else an archive may carry are passed over.
"""

from veem.datasets.files import CHUNK, plain, read_up_to

BLOCK = 512
REGULAR = (b"0", b"\0")


def read_members(path, wanted, most):
    """The bytes of the regular files with these names, folders aside.

    wanted: from a name to how long that file may be. most: bytes of the whole archive,
    unzipped. ValueError naming the archive and what is wrong with it.
    """
    found = {}
    with plain(path) as stream:
        while any(header := stream.read(BLOCK)):
            name, kind, size = _entry(header, path)
            most -= BLOCK + size
            if most < 0:
                raise ValueError(f"{path}: the archive is longer than it should be")
            if kind in REGULAR and name in wanted and name not in found:
                if size > wanted[name]:
                    raise ValueError(
                        f"{path}: {name} has {size} bytes, expected up to "
                        f"{wanted[name]}"
                    )
                found[name] = read_up_to(stream, size)
                if len(found[name]) < size:
                    raise ValueError(f"{path}: the archive is cut within {name}")
                _skip(stream, -size % BLOCK, path)
            else:
                _skip(stream, size + -size % BLOCK, path)
        _skip_rest(stream, most, path)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(f"{path}: the archive has no {', '.join(missing)}")
    return found


def _entry(header, path):
    """An entry's name without folders, its kind, its size."""
    if len(header) < BLOCK:
        raise ValueError(f"{path}: the archive is cut within a header")
    blank = header[:148] + b" " * 8 + header[156:]
    if _octal(header[148:156]) != sum(blank):
        raise ValueError(f"{path}: not a tar archive, or damaged: a header's checksum")
    size = _octal(header[124:136])
    if size is None:
        raise ValueError(f"{path}: the archive has an entry without a size")
    name = header[:100].split(b"\0")[0].decode("utf-8", "replace")
    return name.rpartition("/")[2], header[156:157], size


def _octal(field):
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and set(digits) <= set(b"01234567") else None


def _skip(stream, size, path):
    while size > 0:
        part = len(stream.read(min(CHUNK, size)))
        if part == 0:
            raise ValueError(f"{path}: the archive is cut")
        size -= part


def _skip_rest(stream, most, path):
    """To the end, where gzip's checksum is."""
    while part := len(stream.read(CHUNK)):
        most -= part
        if most < 0:
            raise ValueError(f"{path}: there is more behind the archive")
