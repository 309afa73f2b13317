"""Files that appear as a whole or not at all."""

import contextlib
import os
import stat


@contextlib.contextmanager
def writing(f, op="save"):
    """A binary file to write to: `f`, where it has write(), or one for the path `f`.

    At a path, the bytes go to a new file beside it, which is flushed to the disk and
    then takes the path's place: whatever happens, and whenever, the path has the old
    contents or the new. Its permissions are kept, and links to it lead to it still.
    Devices and pipes are written as they are. OSError says what could not be done.
    """
    if hasattr(f, "write"):
        yield f
        return
    path = os.path.realpath(os.fspath(f))
    try:
        old = _status(path)
        if old is not None and not stat.S_ISREG(old.st_mode):
            with open(path, "wb") as file:
                yield file
            return
        with _replacing(path, old) as file:
            yield file
    except OSError as error:
        kept = "; the old file is as it was" if os.path.isfile(path) else ""
        what = f"{op}: cannot write {os.fspath(f)}: {error.strerror or error}{kept}"
        raise type(error)(error.errno, what) from error


def _status(path):
    try:
        return os.stat(path)
    except FileNotFoundError:
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.") from None
        return None


@contextlib.contextmanager
def _replacing(path, old):
    folder, name = os.path.split(path)
    if old is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "the file may not be written")
    temporary = os.path.join(folder, f".{name[:40]}.{os.urandom(6).hex()}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            if old is not None:
                os.chmod(temporary, stat.S_IMODE(old.st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder):
    """Has the disk know the new name, where folders can be opened and synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
