"""Saving at a path: the old file or the new one is there, whatever happens."""

import os
import stat
import subprocess
import sys
import textwrap

import pytest

import veem
from veem.serialization.atomic import writing

posix = pytest.mark.skipif(os.name != "posix", reason="files as POSIX has them")
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def run(source, *arguments):
    """A process of its own, for limits and signals."""
    command = [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert child.returncode == 0, child.stderr
    return child.stdout


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pt"
    veem.save([1], path)
    with pytest.raises(Exception, match="pickle|lambda|local"):
        veem.save(lambda: 0, path)
    with pytest.raises(ZeroDivisionError), writing(path) as file:
        file.write(bytes(1 // 0))
    assert veem.load(path) == [1]
    assert names(tmp_path) == ["x.pt"]


def test_a_new_file_is_not_there_before_it_is_complete(tmp_path):
    path = tmp_path / "x.pt"
    with writing(path) as file:
        file.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"


@posix
def test_permissions(tmp_path):
    path = tmp_path / "x.pt"
    old = os.umask(0o027)
    try:
        veem.save(1, path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640  # as open() makes files
        path.chmod(0o604)
        veem.save(2, path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert veem.load(path) == 2


@posix
def test_links_lead_to_the_file_still(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "latest.pt"
    link.symlink_to("real/x.pt")
    for value in (1, 2):  # new, then there
        veem.save(value, link)
        assert link.is_symlink() and veem.load(link) == value
    assert veem.load(tmp_path / "real" / "x.pt") == 2
    assert names(tmp_path) == ["latest.pt", "real"]
    assert names(tmp_path / "real") == ["x.pt"]


@posix
def test_devices_and_pipes_are_written_as_they_are(tmp_path):
    veem.save(1, os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    veem.save({"w": veem.ones(3)}, pipe)
    (tmp_path / "copy").write_bytes(reader.communicate()[0])
    assert veem.load(tmp_path / "copy")["w"].tolist() == [1, 1, 1]


def test_folders_and_paths_that_are_not_there(tmp_path):
    with pytest.raises(IsADirectoryError, match="cannot write"):
        veem.save(1, tmp_path)
    with pytest.raises(RuntimeError, match=r"Parent directory .*no.* does not exist"):
        veem.save(1, tmp_path / "no" / "x.pt")
    (tmp_path / "file").touch()
    with pytest.raises((RuntimeError, OSError)):
        veem.save(1, tmp_path / "file" / "x.pt")


def test_a_name_of_any_length(tmp_path):
    path = tmp_path / ("ü" * 125 + ".pt")  # 253 bytes; most systems allow 255
    veem.save(1, path)
    veem.save(2, path)
    assert veem.load(path) == 2


@linux
def test_a_full_disk(tmp_path):
    """The largest size of a file stands for the disk's end."""
    path = tmp_path / "x.pt"
    veem.save({"old": veem.ones(3)}, path)
    said = run(
        """
        import resource, signal, sys, veem
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for size in (0, 10, 700, 5000, 40_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            try:
                veem.save({"new": veem.ones(10_000)}, sys.argv[1])
            except OSError as error:
                print(error)
        """,
        path,
    )
    lines = said.splitlines()
    assert len(lines) == 5
    for line in lines:
        assert "save: cannot write" in line and "x.pt" in line
        assert "File too large" in line and "the old file is as it was" in line
    assert veem.load(path)["old"].tolist() == [1, 1, 1]
    assert names(tmp_path) == ["x.pt"]


@linux
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() != 0, reason="by root only")
def test_without_permission_as_another_user(tmp_path):
    _without_permission(tmp_path, "os.setgid(65534); os.setuid(65534)")


@linux
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may all")
def test_without_permission(tmp_path):
    _without_permission(tmp_path, "pass")


def _without_permission(tmp_path, become):
    """A folder that nobody may write in, and a file that nobody may write."""
    shut, open_ = tmp_path / "shut", tmp_path / "open"
    for folder in (shut, open_):
        folder.mkdir()
        veem.save("old", folder / "x.pt")
    for up in (tmp_path, *tmp_path.parents[:2]):
        up.chmod(0o755)
    (open_ / "x.pt").chmod(0o444)
    (shut / "x.pt").chmod(0o666)
    open_.chmod(0o777)
    shut.chmod(0o555)
    said = run(
        f"""
        import os, sys, veem
        {become}
        for folder in sys.argv[1:]:
            try:
                veem.save("new", folder + "/x.pt")
            except PermissionError as error:
                print(error)
        """,
        shut,
        open_,
    )
    shut.chmod(0o755)
    for line, reason in zip(said.splitlines(), ("Permission denied", "not be written")):
        assert reason in line and "the old file is as it was" in line
    assert len(said.splitlines()) == 2
    for folder in (shut, open_):
        assert veem.load(folder / "x.pt") == "old"
        assert names(folder) == ["x.pt"]


KILLS = """
import os, pathlib, random, signal, sys, time
import veem
{more}

path = pathlib.Path(sys.argv[1])
random.seed(0)


def forever(n, done):
    while True:
        n += 1
        save({{"n": veem.full((500,), n), "m": veem.full((n % 7,), n)}}, path)
        os.write(done, b".")


save({{"n": veem.full((500,), 0), "m": veem.zeros(0)}}, path)
last = 0
for _ in range({times}):
    saved, done = os.pipe()
    child = os.fork()
    if child == 0:
        forever(last, done)
    os.read(saved, 1)
    time.sleep(random.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    state = load(path)
    n = int(state["n"][0])
    assert state["n"].tolist() == [n] * 500 and state["m"].tolist() == [n] * (n % 7)
    assert n > last, "an older file came back"
    last = n
    os.close(saved)
    os.close(done)
print(last, len(list(path.parent.iterdir())) - 1)
"""


@linux
@pytest.mark.parametrize("kind, times", [("pt", 200), ("safetensors", 40)])
def test_killed_at_any_moment(tmp_path, kind, times):
    more = "from veem import load, save"
    if kind == "safetensors":
        pytest.importorskip("safetensors")
        more = "from veem.safetensors import load_file as load, save_file as save"
    said = run(KILLS.format(more=more, times=times), tmp_path / "x")
    saves, halves = map(int, said.split())
    assert saves >= times  # each process saved once at least
    assert times / 10 < halves <= 2 * times  # and many were killed amid a save
