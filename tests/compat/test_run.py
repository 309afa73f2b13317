"""python -m veem run: scripts, modules and notebooks run as Python runs them."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from running import outcome, run

import veem


def test_a_script_is_main_and_sees_its_arguments(tmp_path):
    (tmp_path / "beside.py").write_text("word = 'found'")
    source = """
import sys, torch, beside
print(__name__, __file__ == sys.argv[0], sys.argv[1:], beside.word)
print(sys.modules["__main__"].__dict__ is globals(), torch.ones(2).sum().item())
"""
    done = outcome(tmp_path, source, "--lr", "0.1", "-m", "--help")
    assert done.stdout.splitlines() == [
        "__main__ True ['--lr', '0.1', '-m', '--help'] found",
        "True 2.0",
    ], done.stderr


def test_exit_codes_are_the_programs(tmp_path):
    assert outcome(tmp_path, "import sys; sys.exit(7)").returncode == 7
    assert outcome(tmp_path, "pass").returncode == 0
    done = outcome(tmp_path, "raise SystemExit('why')")
    assert (done.returncode, done.stderr) == (1, "why\n")
    done = run(tmp_path / "nothing.py")
    assert done.returncode == 2 and "no file" in done.stderr


def test_tracebacks_are_pythons(tmp_path):
    script = tmp_path / "program.py"
    for source in ("def f():\n    1 / 0\n\nf()\n", "x = (\n", "import nothing\n"):
        ours = outcome(tmp_path, source)
        plain = subprocess.run([sys.executable, script], capture_output=True, text=True)
        assert ours.returncode == plain.returncode == 1
        assert ours.stderr == plain.stderr


def test_a_module_runs_as_main(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text(
        "import sys, torch\n"
        "from package import part\n"
        "print(__name__, sys.argv[1:], torch.float32, part.__name__)\n"
    )
    done = run("-m", "package.part", "a", cwd=tmp_path)
    main = "__main__ ['a'] torch.float32 package.part"
    imported = "package.part ['a'] torch.float32 package.part"
    assert done.stdout.splitlines() == [imported, main], done.stderr


def test_spawned_processes_have_torch(tmp_path):
    source = """
import torch, torch.multiprocessing as mp

def work(i, start):
    print(i + start, torch.zeros(1).type(), __name__, flush=True)
    if start > 10:
        raise ValueError("told to")

if __name__ == "__main__":
    mp.spawn(work, args=(5,), nprocs=2)
    try:
        mp.spawn(work, args=(20,))
    except Exception as error:
        print(type(error).__name__)
"""
    done = outcome(tmp_path, source)
    lines = done.stdout.splitlines()
    assert sorted(lines[:2]) == [
        f"{i} torch.FloatTensor __mp_main__" for i in (5, 6)
    ], done.stderr
    assert lines[-1] == "ProcessRaisedException"
    assert "ValueError: told to" in done.stderr


def test_what_cannot_be_imported_is_followed_by_the_nearest(tmp_path):
    done = outcome(tmp_path, "from torch.optim import Adamm")
    assert done.returncode == 1
    assert "the nearest is torch.optim.Adam" in done.stderr.splitlines()[-1]
    done = outcome(tmp_path, "import torch.nowhere")
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: No module named 'torch.nowhere'"
    )


@pytest.mark.skipif("metal" not in veem._core.devices(), reason="no metal device")
def test_metal_is_mps(tmp_path):
    source = """
import torch
x = torch.ones(2, device="mps")
print(x.device, repr(x.to("metal").device), x.is_mps, x.type(), x.cpu().device.type)
print(x.device == torch.device("metal") == torch.device("mps"))
"""
    done = outcome(tmp_path, source)
    assert done.stdout.splitlines() == [
        "mps device(type='mps') True torch.mps.FloatTensor cpu",
        "True",
    ], done.stderr


# ---- notebooks ---------------------------------------------------------------------


def notebook(path, *cells):
    code = [{"cell_type": "code", "source": text.splitlines(True)} for text in cells]
    words = {"cell_type": "markdown", "source": ["# words"]}
    path.write_text(json.dumps({"nbformat": 4, "cells": [words, *code]}))
    return path


def test_cells_run_in_turn_and_print_their_values(tmp_path):
    path = notebook(
        tmp_path / "lesson.ipynb",
        "%matplotlib inline\n!pip install torch\nimport torch\nx = torch.arange(3)\nx",
        "%%time\nx.sum()",
        "text = '''\n% no magic\n'''\nlen(text);",
        "x.shape",
        "",
        "None",
    )
    done = run(path)
    values = ["tensor([0, 1, 2])", "tensor(3)", "torch.Size([3])"]
    assert done.returncode == 0 and done.stdout.splitlines() == values, done.stderr
    notes = [line.partition("cell ")[2] for line in done.stderr.splitlines()]
    assert notes == [
        "1: not run: %matplotlib inline",
        "1: not run: !pip install torch",
        "2: not run: %%time",
    ]


def test_an_error_names_its_cell(tmp_path):
    path = notebook(tmp_path / "lesson.ipynb", "x = 1", "y = 2\nz = x / 0", "print(9)")
    done = run(path)
    assert done.returncode == 1 and "9" not in done.stdout
    assert f'File "{path}, cell 2", line 2' in done.stderr
    assert "z = x / 0" in done.stderr and "notebook.py" not in done.stderr
    done = run("--allow-errors", path)
    assert done.returncode == 0 and done.stdout == "9\n"
    assert "z = x / 0" in done.stderr and "notebook.py" not in done.stderr


def test_what_is_no_notebook_is_said(tmp_path):
    path = tmp_path / "broken.ipynb"
    path.write_text('{"worksheets": []}')
    done = run(path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ValueError: ")
    assert "no notebook of format 4" in done.stderr


# ---- --list-missing ----------------------------------------------------------------

PROGRAM = """
import torch, torch.nn as nn
import torch.nn.functional as F
from torch.optim import Adam, Adamm
from torch import nn as layers, zeros as z
import torch.nowhere

raise SystemExit("this is not run")

class Net(nn.Module):
    def forward(self, x):
        x.unknown_here()
        h = torch.zeros(3).not_a_method()
        return F.reluu(layers.Linaer(2, 3)(x))

y = z(2) + 1
y.also_no_method(torch.hidden)
torch.onnx.export(y)
torch.nn.Linear(2, 2).weight.anything
shapes = [x.foo for x in range(3)]
"""


def test_missing_names_are_listed_with_the_nearest(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    done = run("--list-missing", script)
    found = [line.removeprefix(f"{script}:") for line in done.stdout.splitlines()]
    assert [line.split(": ")[0:2] for line in found] == [
        ["4", "torch.optim.Adamm"],
        ["6", "torch.nowhere"],
        ["13", "torch.Tensor.not_a_method"],
        ["14", "torch.nn.Linaer"],
        ["14", "torch.nn.functional.reluu"],
        ["17", "torch.Tensor.also_no_method"],
        ["17", "torch.hidden"],
        ["18", "torch.onnx.export"],
    ], done.stderr
    assert "the nearest is torch.nn.Linear" in found[3]
    assert "the nearest is torch.nn.functional.relu" in found[4]
    assert done.returncode == 1 and "8 names missing" in done.stderr


def test_what_is_no_program_is_said(tmp_path):
    (tmp_path / "broken.py").write_text("x = (")
    for path in (tmp_path / "broken.py", tmp_path / "nowhere.py", tmp_path):
        done = run("--list-missing", path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"{path}: cannot be read: ")


def test_nothing_is_missing_from_a_plain_program(tmp_path):
    path = notebook(
        tmp_path / "lesson.ipynb",
        "%matplotlib inline\nimport torch\nfrom torch import *\nx = randn(3)",
        "x.view(-1).max(0).values.item(); torch.backends.cudnn.benchmark = True",
    )
    done = run("--list-missing", path)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


# ---- from Python -------------------------------------------------------------------


def python(source, **options):
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, **options
    )


def test_install_gives_the_names_in_this_process():
    done = python("""
import veem, veem.compat
veem.compat.install()
veem.compat.install()
import torch, torch.nn.functional as F
print(torch.Tensor is veem.Tensor, F.relu is veem.nn.functional.relu, torch.nn)
""")
    assert done.stdout.split() == "True True <module 'torch.nn' (veem)>".split()


def test_models_are_found_by_name(tmp_path):
    """As programs do that take the name of a network from the command line."""
    done = outcome(
        tmp_path,
        "from torchvision import models\n"
        "print(models.__dict__['resnet18'].__name__, callable(vars(models)['VGG']))\n",
    )
    assert done.stdout.split() == ["resnet18", "True"], done.stderr


def test_install_is_refused_where_the_real_torch_is(tmp_path):
    (tmp_path / "torch.py").write_text("other = True")
    source = "import torch, veem.compat\nveem.compat.install()"
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = python(source, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 1
    assert f"torch is already imported, from {tmp_path}" in done.stderr


def test_the_real_torch_cannot_slip_past(tmp_path):
    (tmp_path / "torch.py").write_text("other = True")
    (tmp_path / "torchaudio.py").write_text("import torch._C")
    source = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
del sys.modules["torch"]
import torch
print(hasattr(torch, "other"), torch.zeros(1).item())
import torchaudio
"""
    done = outcome(tmp_path, "import torch\n" + source)
    assert done.stdout.split() == ["False", "0.0"]
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: torchaudio works with PyTorch's own")


def test_nothing_else_imports_it():
    source = "import veem, sys; print('veem.compat' in sys.modules)"
    assert python(source).stdout == "False\n"


# ---- packages that are not veem's ----------------------------------------------------


def test_tensorboard_is_another_package_or_says_which(tmp_path):
    source = """
import torch
from torch.utils.tensorboard import SummaryWriter

writer = SummaryWriter("runs")
writer.add_scalar("loss", torch.ones((), requires_grad=True), 0)
writer.add_histogram("weight", torch.nn.Linear(2, 2).weight, 0)
writer.close()
"""
    done = outcome(tmp_path, source.replace('"runs"', repr(str(tmp_path / "runs"))))
    if importlib.util.find_spec("tensorboardX") is None:
        assert "pip install veem[tensorboard]" in done.stderr.splitlines()[-1]
    else:
        assert done.returncode == 0, done.stderr
        assert list((tmp_path / "runs").iterdir())


def test_tensors_pickle_and_processes_share_the_name(tmp_path):
    source = """
import copy, pickle, torch
p = torch.nn.Parameter(torch.ones(2))
for x in (torch.zeros(2), p, torch.nn.Linear(2, 2), torch.float32, torch.Size([1])):
    y = pickle.loads(pickle.dumps(x))
    assert type(y) is type(x) and repr(y) == repr(x), (x, y)
    assert repr(copy.deepcopy(x)) == repr(x)
"""
    done = outcome(tmp_path, source)
    assert done.returncode == 0, done.stderr


def test_nothing_of_pytorch_is_loaded(tmp_path):
    source = """
import sys, torch, torch.nn, torch.utils.data, torch.optim, torch.distributions
import torchvision.transforms
files = [getattr(m, "__file__", None) or "" for m in list(sys.modules.values())]
print(any("site-packages/torch" in name for name in files))
"""
    done = outcome(tmp_path, source)
    assert done.stdout == "False\n", done.stderr
