"""save and load: what goes in comes out."""

import collections
import enum
import io
import pathlib
import pickle
import zipfile

import numpy as np
import pytest

import veem
from veem.serialization import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    get_unsafe_globals_in_checkpoint,
    safe_globals,
)

DTYPES = ("float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool").split()


def saved(obj, **kwargs):
    file = io.BytesIO()
    veem.save(obj, file, **kwargs)
    file.seek(0)
    return file


def roundtrip(obj, **kwargs):
    return veem.load(saved(obj), **kwargs)


def test_nested_objects():
    obj = {
        "w": veem.tensor([[1.5, 2.5]]),
        "l": [veem.tensor([1, 2]), 3, "x", None, True, (1.5,)],
        "o": collections.OrderedDict(a=veem.tensor(True)),
        "size": veem.Size([1, 2]),
        "dtype": veem.float64,
        "device": veem.device("cpu"),
    }
    back = roundtrip(obj)
    assert back["w"].tolist() == [[1.5, 2.5]]
    assert back["l"][0].dtype == veem.int64
    assert back["l"][1:] == obj["l"][1:]
    assert back["o"]["a"].item() is True
    assert back["size"] == (1, 2) and isinstance(back["size"], veem.Size)
    assert back["dtype"] is veem.float64
    assert back["device"] == veem.device("cpu")


@pytest.mark.parametrize("device", veem._core.devices())
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype, device):
    if device != "cpu" and dtype == "float64":
        pytest.skip("float64 is for the CPU")
    x = veem.arange(6).to(getattr(veem, dtype)).to(device).reshape(2, 3)
    back = roundtrip([x.T, x[1]])
    assert back[0].dtype is x.dtype and back[0].device == x.device
    assert back[0].tolist() == x.T.tolist() and back[0].stride() == (1, 3)
    back[0].fill_(1)
    assert back[1].tolist() == [1, 1, 1]


def test_views_keep_their_strides_and_share_their_storage():
    x = veem.arange(12).reshape(3, 4)
    a, b, c, d = roundtrip([x, x.T, x[1:, ::2], x[:1].expand(5, 4)])
    assert b.stride() == (1, 4)
    assert (c.stride(), c.storage_offset()) == ((4, 2), 4)
    assert d.stride() == (0, 1)
    a.fill_(7)
    assert b.tolist() == x.fill_(7).T.tolist()
    assert c.tolist() == [[7, 7], [7, 7]]


def test_scalars_and_empty_tensors():
    a, b, c = roundtrip([veem.tensor(3), veem.zeros(0, 4), veem.empty(0)])
    assert a.shape == () and a.item() == 3
    assert b.shape == (0, 4) and c.shape == (0,)


def test_arrays_that_begin_at_one_place_are_apart():
    """Memory of NumPy's shows up as two storages, one of which is shorter."""
    array = np.arange(6.0)
    short, long = roundtrip([veem.from_numpy(array[:2]), veem.from_numpy(array)])
    assert short.tolist() == [0, 1]
    assert long.tolist() == [0, 1, 2, 3, 4, 5]


def test_requires_grad_parameters_and_attributes_come_back():
    x = veem.ones(2, requires_grad=True)
    p = veem.nn.Parameter(veem.ones(3), requires_grad=False)
    p.tag = [1]
    x2, p2, p3 = roundtrip([x, p, p])
    assert x2.requires_grad and x2.is_leaf
    assert isinstance(p2, veem.nn.Parameter) and not p2.requires_grad
    assert p2.tag == [1] and p2 is p3
    assert roundtrip(x * 2).is_leaf


def test_hooks_stay_behind_with_a_warning():
    x = veem.ones(2, requires_grad=True)
    x.register_hook(lambda g: g)
    with pytest.warns(UserWarning, match="hooks"):
        assert roundtrip(x)._hooks is None


def test_a_storage_by_itself():
    x = veem.arange(3.0)
    storage, y = roundtrip([x.view(veem.uint8).untyped_storage(), x[:0]][:1] * 2)
    assert isinstance(storage, veem.UntypedStorage) and storage is y
    assert storage.tolist() == x.untyped_storage().tolist()


def test_one_memory_has_one_dtype():
    x = veem.arange(4)
    with pytest.raises(RuntimeError, match=r"different types.*clone"):
        saved([x, x.view(veem.int32)])


# ---- files ------------------------------------------------------------------------


def test_paths_file_objects_and_parts_of_files(tmp_path):
    for target in (str(tmp_path / "s"), tmp_path / "p"):
        veem.save(veem.ones(3), target)
        assert veem.load(target).tolist() == [1, 1, 1]
    with open(tmp_path / "f", "w+b") as file:
        file.write(b"before")
        veem.save(veem.ones(3), file)
        file.seek(6)
        assert veem.load(file).tolist() == [1, 1, 1]


def test_a_file_that_can_only_be_written():
    class Pipe:
        def __init__(self):
            self.parts = []

        def write(self, data):
            self.parts.append(bytes(data[:100]))
            return len(self.parts[-1])  # a part, as unbuffered files may

    pipe = Pipe()
    veem.save({"w": veem.ones(300)}, pipe)
    assert veem.load(io.BytesIO(b"".join(pipe.parts)))["w"].tolist() == [1] * 300


def test_a_half_is_not_made_to_look_whole():
    class Full(io.BytesIO):
        def write(self, data):
            if self.tell() + len(data) > 5000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    file = Full()
    with pytest.raises(OSError, match="No space"):
        veem.save([veem.ones(10), veem.ones(2000)], file)
    with pytest.raises(RuntimeError, match="no sound zip archive"):
        veem.load(io.BytesIO(file.getvalue()))


def test_records_are_aligned_checked_and_the_same_each_time(tmp_path):
    obj = [veem.ones(n) for n in (1, 3, 100, 7)]
    path = tmp_path / "x.pt"
    veem.save(obj, path)
    data = path.read_bytes()
    assert data == saved(obj).getvalue()
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.read("archive/byteorder") == b"little"
        for i, x in enumerate(obj):
            info = archive.getinfo(f"archive/data/{i}")
            assert info.file_size == x.nbytes
            name, extra = data[info.header_offset :][26:30:2]
            begin = info.header_offset + 30 + name + extra
            assert begin % 64 == 0
            assert data[begin:][: x.nbytes] == x.numpy().tobytes()


def test_large_files(tmp_path, monkeypatch):
    """Where sizes and offsets take 64 bits; not 4 GiB for each run of this test."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    path = tmp_path / "x.pt"
    obj = [veem.arange(100), veem.arange(7)]
    veem.save(obj, path)
    monkeypatch.undo()
    assert b"PK\x06\x06" in path.read_bytes()  # the larger table's end
    for mmap in (False, True):
        a, b = veem.load(path, mmap=mmap)
        assert a.tolist() == list(range(100)) and b.tolist() == list(range(7))
        assert a.data_ptr() % 64 == 0


def test_mapped_files_are_never_changed(tmp_path):
    path = tmp_path / "x.pt"
    veem.save({"w": veem.arange(1000.0), "e": veem.empty(0)}, path)
    before = path.read_bytes()
    live = veem._core.memory_stats("cpu")["live"]
    state = veem.load(str(path), mmap=True)
    w = state["w"]
    w.add_(1)
    w[3] = 7
    assert w[:5].tolist() == [1, 2, 3, 7, 5]
    assert path.read_bytes() == before
    assert veem.load(path, mmap=True)["w"][3].item() == 3
    path.unlink()
    assert w.sum().item() == 1000 * 1001 / 2 + 3
    del w, state
    assert veem._core.memory_stats("cpu")["live"] == live


def test_mapping_needs_a_path():
    with pytest.raises(ValueError, match="file path"):
        veem.load(saved(1), mmap=True)


# ---- places -----------------------------------------------------------------------


@pytest.mark.parametrize("device", [d for d in veem._core.devices() if d != "cpu"])
def test_map_location(device):
    x = veem.arange(3.0).to(device)
    file = saved([x, x[1:]])
    asked = []

    def choose(storage, location):
        asked.append((storage.nbytes(), str(storage.device), location))

    for where, expected in [
        (None, device),
        ("cpu", "cpu"),
        (veem.device("cpu"), "cpu"),
        ({"mps": "cpu"}, "cpu"),
        ({"other": "cpu"}, device),
        (choose, device),
        (lambda storage, location: storage, "cpu"),
        (lambda storage, location: storage.to(device), device),
    ]:
        file.seek(0)
        a, b = veem.load(file, map_location=where)
        assert str(a.device) == expected
        assert a.tolist() == [0, 1, 2]
        a.fill_(5)
        assert b.tolist() == [5, 5]
    assert asked == [(12, "cpu", "mps")]


def test_a_place_that_is_not_there():
    with pytest.raises(RuntimeError, match="cuda:3.*map_location"):
        roundtrip(veem.ones(1), map_location="cuda:3")
    with pytest.raises(TypeError, match="map_location"):
        roundtrip(veem.ones(1), map_location=5)


# ---- what may be loaded -----------------------------------------------------------


class Point:
    def __init__(self, x):
        self.x = x


class Color(enum.Enum):
    RED = 1


def test_a_class_is_loaded_where_it_is_allowed():
    obj = [Point(veem.ones(2)), Color.RED]
    file = saved(obj)
    with pytest.raises(pickle.UnpicklingError, match=r"Point.*add_safe_globals"):
        veem.load(file)
    assert get_unsafe_globals_in_checkpoint(saved(obj)) == [
        f"{__name__}.Color",
        f"{__name__}.Point",
    ]
    with safe_globals([Point, Color]):
        assert set(get_safe_globals()) == {Point, Color}
        file.seek(0)
        point, color = veem.load(file)
        assert point.x.tolist() == [1, 1] and color is Color.RED
    assert get_safe_globals() == []
    add_safe_globals([(Point, f"{__name__}.Color"), Point])
    file.seek(0)
    assert isinstance(veem.load(file)[1], Point)  # the name is what counts
    clear_safe_globals()
    assert get_safe_globals() == []
    file.seek(0)
    assert veem.load(file, weights_only=False)[1] is Color.RED


def test_allowing_needs_a_name():
    for wrong, error in (((Point, "a", "b"), ValueError), ((Point, 3), TypeError)):
        with safe_globals([wrong]), pytest.raises(error, match="safe_globals"):
            veem.serialization.machine.Machine(io.BytesIO())


def test_whole_modules_and_optimizers():
    model = veem.nn.Sequential(veem.nn.Linear(3, 2), veem.nn.BatchNorm1d(2))
    optimizer = veem.optim.Adam(model.parameters())
    x = veem.randn(4, 3)
    model(x).sum().backward()
    optimizer.step()
    file = saved({"model": model, "optimizer": optimizer})
    with pytest.raises(pickle.UnpicklingError, match="weights_only"):
        veem.load(file)
    file.seek(0)
    back = veem.load(file, weights_only=False)
    assert back["model"].eval()(x).tolist() == model.eval()(x).tolist()
    params = back["optimizer"].param_groups[0]["params"]
    assert params[0] is back["model"][0].weight
    assert len(back["optimizer"].state) == 4


def test_a_pickle_module_of_ones_own():
    assert roundtrip(veem.ones(2), pickle_module=pickle).tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="pickle_module"):
        roundtrip(1, pickle_module=pickle, weights_only=True)
    with pytest.raises(TypeError, match="pickle_module"):
        saved(1, pickle_module=zipfile)
    with pytest.raises(ValueError, match="pickle_protocol"):
        saved(1, pickle_protocol=1)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols(protocol):
    obj = [{1, 2}, frozenset({3}), b"x" * 300, bytearray(b"y"), "z" * 300, 2**70]
    obj.append((veem.ones(1), collections.Counter("aab"), (1,) * 5, {2: [obj[0]]}))
    back = veem.load(saved(obj, pickle_protocol=protocol))
    assert back[:-1] == obj[:-1]
    assert back[-1][1:] == obj[-1][1:]
    assert back[0] is back[-1][3][2][0]


def test_lists_that_hold_themselves():
    obj = [1]
    obj.append(obj)
    back = roundtrip(obj)
    assert back[1] is back


def test_a_checkpoint_resumes_a_training(tmp_path):
    def parts():
        model = veem.nn.Linear(3, 1)
        optimizer = veem.optim.AdamW(model.parameters(), lr=0.1)
        return model, optimizer, veem.optim.lr_scheduler.StepLR(optimizer, 2)

    def train(model, optimizer, schedule, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            model(veem.randn(4, 3)).square().mean().backward()
            optimizer.step()
            schedule.step()

    veem.manual_seed(0)
    all_ = parts()
    train(*all_, 3)
    names = "model", "optimizer", "scheduler"
    state = {n: part.state_dict() for n, part in zip(names, all_)}
    path = pathlib.Path(tmp_path / "checkpoint.pt")
    veem.save({**state, "epoch": 3, "rng": veem.get_rng_state()}, path)
    train(*all_, 4)

    veem.manual_seed(99)
    resumed = parts()
    loaded = veem.load(path)
    for name, part in zip(names, resumed):
        part.load_state_dict(loaded[name])
    veem.set_rng_state(loaded["rng"])
    train(*resumed, 7 - loaded["epoch"])
    assert resumed[0].weight.tolist() == all_[0].weight.tolist()
    assert resumed[2].get_last_lr() == all_[2].get_last_lr()
