"""Files that appear as a whole or not at all."""

import contextlib
import os
import stat


@contextlib.contextmanager
def writing(f, op="save"):
    """A binary file to write to: `f`, where it has write(), or one for the path `f`,
    as replacing() does it."""
    if hasattr(f, "write"):
        yield f
        return
    with replacing(f, op) as name, open(name, "wb") as file:
        yield file


@contextlib.contextmanager
def replacing(path, op="save"):
    """The name of a file to write, which then takes the place of `path`.

    It lies beside the path's and is flushed to the disk before it is renamed: whatever
    happens, and whenever, the path has the old contents or the new. Its permissions
    are kept, and links to it lead to it still. Devices and pipes are written as they
    are. OSError says what could not be done.
    """
    real = os.path.realpath(os.fspath(path))
    try:
        old = _status(real, op)
        if old is not None and not stat.S_ISREG(old.st_mode):
            yield real
            return
        if old is not None and not os.access(real, os.W_OK):
            raise PermissionError(13, "the file may not be written")
        with _temporary(real) as temporary:
            mode = (os.stat(temporary) if old is None else old).st_mode
            yield temporary
            os.chmod(temporary, stat.S_IMODE(mode))
            _sync(temporary, os.O_RDWR)
            os.replace(temporary, real)
        with contextlib.suppress(OSError):  # some systems cannot sync folders
            _sync(os.path.dirname(real), os.O_RDONLY)
    except OSError as error:
        kept = "; the old file is as it was" if os.path.isfile(real) else ""
        what = f"{op}: cannot write {os.fspath(path)}: {error.strerror or error}{kept}"
        raise type(error)(error.errno, what) from error


def _status(path, op):
    try:
        return os.stat(path)
    except FileNotFoundError:
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            raise RuntimeError(
                f"{op}: Parent directory {folder} does not exist."
            ) from None
        return None


@contextlib.contextmanager
def _temporary(path):
    """A new, empty file in the path's folder, gone afterwards unless renamed."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name[:40]}.{os.urandom(6).hex()}.tmp")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield temporary
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _sync(path, flags):
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
