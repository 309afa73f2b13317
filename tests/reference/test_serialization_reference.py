"""Files pass both ways between veem and PyTorch."""

import ast
import collections
import datetime
import fractions
import io
import pathlib
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch")

DTYPES = ("float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool").split()


def contents(lib):
    """The same object in either library: every dtype, layout and container."""
    base = lib.arange(24.0).reshape(4, 6)
    tagged = lib.ones(2)
    tagged.tag = {"note": "kept"}
    frozen = lib.nn.Parameter(lib.ones(2), requires_grad=False)
    tied = lib.nn.Parameter(lib.ones(3))
    return {
        **{d: lib.arange(6).reshape(2, 3).to(getattr(lib, d)) for d in DTYPES},
        "views": [base, base.T, base[1:, ::2], base[2]],
        "scalar": lib.tensor(3.5),
        "empty": lib.zeros(0, 3),
        "expanded": lib.tensor([[1.0], [2.0]]).expand(2, 5),
        "leaf": lib.ones(2, requires_grad=True),
        "history": lib.ones(2, requires_grad=True) * 2,
        "parameters": [tied, tied, frozen],
        "tagged": tagged,
        "ordered": collections.OrderedDict(b=1, a=base[0]),
        "counter": collections.Counter("abba"),
        "size": base.shape,
        "dtype": lib.float64,
        "device": lib.device("cpu"),
        "random": lib.get_rng_state(),
        "plain": [None, True, 1, 2**40, -(2**80), 1.5, "ü", b"\xff\0", (1, (2,)), {3}],
        7: bytearray(b"x"),
        (1, "key"): complex(1, 2),
    }


def describe(x):
    """What must be the same, in words that both libraries share."""
    if isinstance(x, (torch.Tensor, veem.Tensor)):
        kind = type(x).__name__, str(x.dtype).partition(".")[2], x.requires_grad
        place = tuple(x.shape), x.stride(), x.storage_offset()
        storage = x.untyped_storage().nbytes()
        return *kind, *place, storage, x.detach().double().tolist(), x.__dict__
    if isinstance(x, dict):
        return type(x), [(describe(k), describe(v)) for k, v in x.items()]
    if isinstance(x, (list, tuple)):
        return type(x).__name__, [describe(item) for item in x]
    if isinstance(x, (torch.dtype, veem.dtype)):
        return str(x).partition(".")[2]
    if isinstance(x, (torch.device, veem.device)):
        return str(x)
    return x


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("weights_only", [True, False])
def test_torch_reads_ours(tmp_path, protocol, weights_only):
    veem.manual_seed(3)
    torch.manual_seed(3)
    if weights_only and protocol > 2:
        return  # PyTorch's safe unpickler reads protocol 2 only
    veem.save(contents(veem), tmp_path / "x.pt", pickle_protocol=protocol)
    back = torch.load(tmp_path / "x.pt", weights_only=weights_only)
    assert describe(back) == describe(contents(torch))
    a, b, *_ = back["views"]
    assert a.data_ptr() == b.data_ptr()
    assert back["parameters"][0] is back["parameters"][1]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("weights_only", [True, False])
def test_we_read_torchs(tmp_path, protocol, weights_only):
    veem.manual_seed(3)
    torch.manual_seed(3)
    torch.save(contents(torch), tmp_path / "x.pt", pickle_protocol=protocol)
    back = veem.load(tmp_path / "x.pt", weights_only=weights_only)
    assert describe(back) == describe(contents(veem))
    a, b, *_ = back["views"]
    assert a.data_ptr() == b.data_ptr()
    assert back["parameters"][0] is back["parameters"][1]


@pytest.mark.parametrize("weights_only", [True, False])
def test_we_read_files_of_old_pytorch(weights_only):
    file = io.BytesIO()
    veem.manual_seed(3)
    torch.manual_seed(3)
    torch.save(contents(torch), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    back = veem.load(file, weights_only=weights_only)
    assert describe(back) == describe(contents(veem))


def test_memory_maps_both_ways(tmp_path):
    path = tmp_path / "x.pt"
    veem.save(contents(veem), path)
    before = path.read_bytes()
    back = torch.load(path, mmap=True)
    assert describe(back["float32"]) == describe(contents(torch)["float32"])
    torch.save(contents(torch), path)
    before = path.read_bytes()
    back = veem.load(path, mmap=True)
    assert describe(back["views"]) == describe(contents(veem)["views"])
    back["float32"].fill_(9)
    assert path.read_bytes() == before


def test_buffers_paths_and_file_objects(tmp_path):
    for target in (str(tmp_path / "s"), pathlib.Path(tmp_path / "p")):
        veem.save([veem.ones(3)], target)
        assert torch.load(target)[0].tolist() == [1, 1, 1]
    with open(tmp_path / "f", "w+b") as file:
        file.write(b"before")
        veem.save([veem.ones(3)], file)
        file.seek(6)
        assert torch.load(file)[0].tolist() == [1, 1, 1]
        file.seek(6)
        assert veem.load(file)[0].tolist() == [1, 1, 1]


def test_records_lie_where_pytorch_puts_them(tmp_path):
    """At multiples of 64 bytes."""
    x = [veem.ones(n) for n in (1, 3, 100, 7)]
    veem.save(x, tmp_path / "x.pt")
    names = {i.filename: i for i in zipfile.ZipFile(tmp_path / "x.pt").infolist()}
    reader = torch._C.PyTorchFileReader(str(tmp_path / "x.pt"))
    for i in range(4):
        assert reader.get_record_offset(f"data/{i}") % 64 == 0
        assert names[f"archive/data/{i}"].file_size == x[i].nbytes
    assert set(reader.get_all_records()) >= {"data.pkl", "byteorder", "version"}


def test_large_files(tmp_path, monkeypatch):
    """Where sizes and offsets take 64 bits; not 4 GiB for each run of this test."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    veem.save([veem.arange(100), veem.arange(7)], tmp_path / "x.pt")
    monkeypatch.undo()
    for mmap in (False, True):
        a, b = torch.load(tmp_path / "x.pt", mmap=mmap)
        assert a.tolist() == list(range(100)) and b.tolist() == list(range(7))


def test_other_classes_have_to_be_allowed():
    file = io.BytesIO()
    torch.save({"time": datetime.timedelta(3), "part": fractions.Fraction(1, 2)}, file)
    allowed = [datetime.timedelta, (fractions.Fraction, "fractions.Fraction")]
    for lib in (veem, torch):
        file.seek(0)
        names = lib.serialization.get_unsafe_globals_in_checkpoint(file)
        assert sorted(names) == ["datetime.timedelta", "fractions.Fraction"]
        file.seek(0)
        with pytest.raises(pickle.UnpicklingError, match="timedelta"):
            lib.load(file)
        file.seek(0)
        with lib.serialization.safe_globals(allowed):
            back = lib.load(file)
        assert back == {"time": datetime.timedelta(3), "part": fractions.Fraction(1, 2)}


def test_the_other_byte_order():

    file, out = io.BytesIO(), io.BytesIO()
    values = torch.tensor([1.5, 2.5]), torch.tensor([1, 2**40]), torch.tensor([7, 8.0])
    torch.save(values, file)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if "/data/" in info.filename:
                size = values[int(info.filename[-1])].itemsize
                data = np.frombuffer(data, f"u{size}").byteswap().tobytes()
            new.writestr(info, b"big" if info.filename.endswith("order") else data)
    out.seek(0)
    back = veem.load(out)
    out.seek(0)
    theirs = torch.load(out)
    assert [x.tolist() for x in back] == [x.tolist() for x in theirs]
    assert back[1].tolist() == [1, 2**40]


@pytest.mark.parametrize(
    "place",
    [
        "cpu",
        lambda lib: lib.device("cpu"),
        lambda lib: {"cuda:0": "cpu"},
        lambda lib: lambda storage, location: storage,
        lambda lib: lambda storage, location: storage.cpu(),
    ],
)
def test_places(place):
    """A file of a GPU's, made by hand: its storages say cuda:0."""
    file, out = io.BytesIO(), io.BytesIO()
    torch.save({"w": torch.ones(3)}, file)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith(".pkl"):
                data = data.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0")
            new.writestr(info, data)

    def load(lib, **kwargs):
        out.seek(0)
        return lib.load(out, **kwargs)["w"].tolist()

    for lib in (torch, veem):
        where = place(lib) if callable(place) else place
        assert load(lib, map_location=where) == [1, 1, 1]
        with pytest.raises(RuntimeError, match="map_location"):
            load(lib)
        with pytest.raises(RuntimeError, match="map_location"):
            load(lib, map_location=lambda storage, location: None)


LAYERS = {
    "linear": lambda nn: nn.Linear(3, 2),
    "bilinear": lambda nn: nn.Bilinear(2, 3, 4),
    "conv": lambda nn: nn.Sequential(nn.Conv1d(2, 4, 3, groups=2), nn.Conv3d(1, 1, 2)),
    "transposed": lambda nn: nn.ConvTranspose2d(2, 3, 2, bias=False),
    "batch norm": lambda nn: nn.BatchNorm2d(3),
    "instance norm": lambda nn: nn.InstanceNorm1d(
        3, affine=True, track_running_stats=1
    ),
    "norms": lambda nn: nn.Sequential(
        nn.LayerNorm(3), nn.GroupNorm(2, 4), nn.RMSNorm(3)
    ),
    "embedding": lambda nn: nn.Sequential(nn.Embedding(4, 2), nn.EmbeddingBag(3, 2)),
    "lstm": lambda nn: nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2),
    "gru": lambda nn: nn.Sequential(nn.GRU(2, 2), nn.GRUCell(2, 2), nn.RNNCell(2, 2)),
    "attention": lambda nn: nn.MultiheadAttention(4, 2, kdim=3, add_bias_kv=True),
    "transformer": lambda nn: nn.Transformer(4, 2, 1, 1, 8, batch_first=True),
    "prelu": lambda nn: nn.PReLU(3),
    "adaptive": lambda nn: nn.AdaptiveLogSoftmaxWithLoss(16, 9, [2, 5]),
    "lists": lambda nn: nn.ParameterList([nn.Parameter(nn.Linear(2, 1).weight.data)]),
    "dicts": lambda nn: nn.ParameterDict({"a": nn.Linear(2, 1).bias}),
    "modules": lambda nn: nn.ModuleDict({"a": nn.ModuleList([nn.Linear(1, 1)])}),
    "weight norm": lambda nn: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)),
    "spectral norm": lambda nn: nn.utils.parametrizations.spectral_norm(
        nn.Linear(3, 2)
    ),
    "orthogonal": lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("read, write", [(veem, torch), (torch, veem)])
def test_state_dicts_of_modules(tmp_path, read, write, layer):
    theirs = LAYERS[layer](write.nn)
    write.save(theirs.state_dict(), tmp_path / "x.pt")
    state = read.load(tmp_path / "x.pt")
    ours = LAYERS[layer](read.nn)
    assert str(ours.load_state_dict(state)) == "<All keys matched successfully>"
    for (name, a), (same, b) in zip(
        ours.state_dict().items(), theirs.state_dict().items(), strict=True
    ):
        assert name == same and a.shape == b.shape and a.tolist() == b.tolist()
    assert state._metadata == theirs.state_dict()._metadata
    assert ours.state_dict()._metadata == theirs.state_dict()._metadata


def test_what_is_refused_alike(tmp_path):
    x = tmp_path / "x.pt"
    for lib in (torch, veem):
        a = lib.arange(8.0)
        with pytest.raises(RuntimeError, match="different types"):
            lib.save([a, a.view(lib.int32)], x)
        with pytest.raises(RuntimeError, match="does not exist"):
            lib.save(a, tmp_path / "no" / "x.pt")
        for wrong in (5, b"x.pt"):
            with pytest.raises(AttributeError, match="write"):
                lib.save(a, wrong)
            with pytest.raises(AttributeError, match="seek|read"):
                lib.load(wrong)
        with pytest.raises(FileNotFoundError):
            lib.load(tmp_path / "absent")
        file = io.BytesIO()
        lib.save(a, file)
        file.seek(0)
        with pytest.raises(ValueError, match="mmap"):
            lib.load(file, mmap=True)
        with pytest.raises(RuntimeError, match="pickle_module"):
            lib.load(file, weights_only=True, pickle_module=pickle)


@pytest.mark.parametrize("weights_only", [True, False])
def test_what_veem_lacks_is_named(weights_only):
    for x, text in [
        (torch.ones(2, dtype=torch.complex64), "ComplexFloatStorage"),
        (torch.ones(2, dtype=torch.uint16), "torch.uint16"),
        (torch.eye(2).to_sparse(), "sparse"),
        (torch.nn.Linear(2, 2), r"Linear .*state_dict"),
    ]:
        file = io.BytesIO()
        torch.save(x, file)
        file.seek(0)
        with pytest.raises(pickle.UnpicklingError, match=text):
            veem.load(file, weights_only=weights_only)


def test_whole_models_where_torch_is_a_name_of_veems(tmp_path):
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.GRU(4, 2)
    )
    torch.save(model, tmp_path / "model.pt")
    (tmp_path / "program.py").write_text(
        "import sys, torch\n"
        "model = torch.load(sys.argv[1], weights_only=False)\n"
        "print(model(torch.ones(5, 3))[0].tolist())\n"
    )
    command = sys.executable, "-m", "veem", "run", tmp_path / "program.py"
    done = subprocess.run(
        [*command, tmp_path / "model.pt"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    expected = model(torch.ones(5, 3))[0].tolist()
    np.testing.assert_allclose(ast.literal_eval(done.stdout), expected, rtol=1e-5)
