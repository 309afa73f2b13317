"""Runs public programs under veem and under PyTorch; writes their losses side by side.

    python tools/programs.py FOLDER [PART OF A NAME ...]

FOLDER has copies of the repositories that ROWS names, as git clone makes them; their
code is no part of this project. Both libraries must be installed. A torchvision that is
not is replaced, for PyTorch, by veem's own over PyTorch's tensors. MNIST is looked for
where veem.datasets does, and cut to 1,200 and 500 images. Each program runs, unchanged,
until its later loss is there; PyTorch's on one thread, so that its sums have one order.
"""

import argparse
import gzip
import os
import pathlib
import random
import re
import runpy
import struct
import subprocess
import sys
import tempfile
from typing import NamedTuple

TOP = pathlib.Path(__file__).resolve().parent.parent
LOSS = r"[Ll]oss\D{0,3}(-?[\d.]+(?:e-?\d+)?)"
SMALL_GPT = """config/train_shakespeare_char.py --device=cpu --compile=False
    --eval_interval=10 --eval_iters=2 --log_interval=1 --block_size=64 --batch_size=12
    --n_layer=4 --n_head=4 --n_embd=128 --max_iters=20 --lr_decay_iters=20 --dropout=0.0
    --always_save_checkpoint=True"""
WORDS = """main.py --data DATA/text --epochs 1 --emsize 32 --nhid 32 --log-interval 9
    --lr 1 --save OUT/model.pt"""
RESNET = """
import torch
from models import ResNet18
net = ResNet18()
optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
for step in range(6):
    images, labels = torch.randn(16, 3, 32, 32), torch.randint(10, (16,))
    loss = torch.nn.functional.cross_entropy(net(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("loss", loss.item())
"""
VIT = """
import torch
from vit_pytorch import ViT
net = ViT(image_size=32, patch_size=8, num_classes=10, dim=64, depth=2, heads=4,
          mlp_dim=128, dropout=0.1, emb_dropout=0.1)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(11):
    images, labels = torch.randn(16, 3, 32, 32), torch.randint(10, (16,))
    loss = torch.nn.functional.cross_entropy(net(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("loss", loss.item())
"""


class Row(NamedTuple):
    """A program: where it lies, what is run, which of its losses are shown."""

    folder: str
    command: str
    later: int  # the number of the second loss shown; the first is number 0
    pattern: str = LOSS
    seed: int | None = None  # given to programs that set none
    before: tuple = ()  # commands that make its data
    code: str = ""  # a few lines of our own that call a model of the repository
    path: str = ""  # where its modules lie


ROWS = [
    Row(
        "nanoGPT", f"train.py {SMALL_GPT} --out_dir=OUT", 20, r"iter \d+: loss ([\d.]+)"
    ),
    *(
        Row("makemore", f"makemore.py --type {kind} --max-steps 51 -o OUT {more}", 5)
        for kind, more in {
            "transformer": "--n-layer 2",
            "rnn": "",
            "gru": "",
            "mlp": "",
            "bow": "",
            "bigram": "",
        }.items()
    ),
    Row("examples/mnist", "main.py --epochs 1 --log-interval 3 --lr 0.1", 5),
    Row("examples/mnist_rnn", "main.py --epochs 1 --log-interval 3", 5),
    Row("examples/vae", "main.py --epochs 1 --log-interval 2", 4),
    *(
        Row("examples/word_language_model", f"{WORDS} --model {model}", 2)
        for model in ("LSTM", "GRU", "RNN_TANH", "Transformer")
    ),
    Row(
        "examples/reinforcement_learning",
        "reinforce.py",
        3,
        r"Average reward: ([\d.]+)",
    ),
    Row(
        "examples/reinforcement_learning",
        "actor_critic.py",
        9,
        r"Average reward: ([\d.]+)",
    ),
    Row("examples/regression", "main.py", 0, seed=0),
    Row(
        "examples/time_sequence_prediction",
        "train.py --steps 1",
        10,
        before=("generate_sine_wave.py",),
    ),
    Row(
        "examples/dcgan",
        "main.py --dataset fake --ngf 8 --ndf 8 --batchSize 16 --workers 0 "
        "--manualSeed 1 --outf OUT",
        20,
        r"Loss_D: ([\d.]+)",
    ),
    *(
        Row("pytorch-examples", program, 99, r"^\d+ ([\d.]+)", seed=0)
        for program in """tensor/two_layer_net_tensor.py
            autograd/two_layer_net_autograd.py autograd/two_layer_net_custom_function.py
            nn/two_layer_net_nn.py nn/two_layer_net_optim.py nn/two_layer_net_module.py
            nn/dynamic_net.py""".split()
    ),
    Row("pytorch-cifar", "ResNet18, six steps of SGD", 5, code=RESNET, seed=0),
    Row(
        "minGPT",
        "projects/adder/adder.py --trainer.max_iters=41 --trainer.num_workers=0",
        4,
        r"train loss ([\d.]+)",
        path=".",
    ),
    Row("ng-video-lecture", "bigram.py", 3, r"train loss ([\d.]+)"),
    Row("efficient-kan", "examples/mnist.py", 1, r"Val Loss: ([\d.]+)", 0, path="src"),
    Row("vit-pytorch", "ViT, eleven steps of Adam", 10, code=VIT, seed=0, path="."),
    Row(
        "pytorch-tutorial/tutorials/02-intermediate/convolutional_neural_network",
        "main.py",
        0,
        r"^Test Accuracy.*: ([\d.]+)",
        0,
    ),
    Row("PyTorch-Tutorial/tutorial-contents", "404_autoencoder.py", 3, seed=0),
]


# ---- the data and the stand-in -------------------------------------------------------


def cut_mnist(folder):
    """The first images of MNIST, as files that veem.datasets reads."""
    from veem.datasets import MNIST

    folder.mkdir(parents=True)
    for prefix, train, most in (("train", True, 1200), ("t10k", False, 500)):
        found = MNIST(train=train)
        parts = ("images-idx3", found.data), ("labels-idx1", found.targets.byte())
        for name, tensor in parts:
            array = tensor[:most].numpy()
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            with gzip.open(folder / f"{prefix}-{name}-ubyte.gz", "wb") as file:
                file.write(head + array.tobytes())


def make_text(folder):
    """Sentences of chance over 300 words, with what a corpus of words is split into."""
    folder.mkdir(parents=True)
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefgh", k=4)) for _ in range(300)]
    for name, lines in (("train", 500), ("valid", 60), ("test", 60)):
        text = (" ".join(chance.choices(words, k=40)) for _ in range(lines))
        (folder / f"{name}.txt").write_text("\n".join(text) + "\n")


def stand_in(folder):
    """veem's torchvision and datasets, with PyTorch in veem's place."""
    here = TOP / "src" / "veem"
    names = {
        r"veem\.compat\.torchvision": "torchvision",
        r"veem\.datasets": "veem_datasets",
        r"from veem import datasets": "import veem_datasets as datasets",
        r"from veem import creation": "import torch as creation",
        r"\bveem\b": "torch",
    }
    for source, target in (("compat/torchvision", "torchvision"), ("datasets",) * 2):
        target = "veem_datasets" if target == "datasets" else target
        for file in (here / source).rglob("*.py"):
            text = file.read_text()
            for name, other in names.items():
                text = re.sub(name, other, text)
            to = folder / target / file.relative_to(here / source)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(text)


# ---- running -------------------------------------------------------------------------


def play(seed, program, *arguments):
    """Seeds every generator, then is the program."""
    import numpy
    import torch

    for sow in (random.seed, numpy.random.seed, torch.manual_seed):
        sow(int(seed))
    sys.argv = [program, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    runpy.run_path(program, run_name="__main__")


def losses(row, library, folder, work):
    """The losses that a program prints under a library, until its later one."""
    env = {**os.environ, "VEEM_DATA": str(work / "data"), "MPLBACKEND": "agg"}
    env |= {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    # Its file of data is an array, which PyTorch reads as it did before 2.6.
    env["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1" if row.before else "0"
    paths = [str(work / "stand-in")] if library == "torch" else []
    paths += [str(folder / row.folder / row.path)] if row.path else []
    paths += [path for path in (env.get("PYTHONPATH"),) if path]
    env["PYTHONPATH"] = os.pathsep.join(paths)
    launch = [sys.executable] + ["-m", "veem", "run"] * (library == "veem")
    out = work / library
    out.mkdir(exist_ok=True)
    words = [*row.command.replace("OUT", str(out)).split()]
    words = [w.replace("DATA", str(work / "data")) for w in words]
    if row.code:
        words = [str(work / "lines.py")]
        pathlib.Path(words[0]).write_text(row.code)
        env["PYTHONPATH"] += os.pathsep + str(folder / row.folder)
    if row.seed is not None:
        words = [str(TOP / "tools" / "programs.py"), "--play", str(row.seed), *words]
    at = {"cwd": folder / row.folder, "env": env, "text": True}
    for command in row.before:
        subprocess.run([*launch, command], check=True, **at)
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    found, said = [], []
    with subprocess.Popen([*launch, *words], **pipe, **at) as process:
        for line in process.stdout:
            said.append(line)
            found += re.findall(row.pattern, line)
            if len(found) > row.later:
                process.kill()
    if len(found) <= row.later:
        raise SystemExit(
            f"{row.folder}: {row.command}: {library}\n" + "".join(said[-20:])
        )
    return found[0], found[row.later]


def compare(folder, parts):
    """Prints a line of the table for each program whose name has one of the parts."""
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        cut_mnist(work / "data" / "mnist")
        make_text(work / "data" / "text")
        try:
            import torchvision  # noqa: F401
        except ImportError:
            stand_in(work / "stand-in")
        print("| program | first loss: veem, PyTorch | later: veem, PyTorch |")
        print("| --- | --- | --- |")
        for row in ROWS:
            title = " ".join(f"{row.folder}: {row.command}".split())
            if parts and not any(part in title for part in parts):
                continue
            pairs = zip(*(losses(row, lib, folder, work) for lib in ("veem", "torch")))
            first, later = (" ".join(map(short, pair)) for pair in pairs)
            name = title if row.code else f"{row.folder}: `{title.partition(': ')[2]}`"
            print(f"| {name} | {first} | {later if row.later else ''} |", flush=True)


def short(number):
    """Seven digits, or fewer where the program prints fewer."""
    return number if len(number) < 10 else f"{float(number):.7g}"


def main():
    if sys.argv[1:2] == ["--play"]:
        return play(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    compare(options.folder.resolve(), options.parts)


if __name__ == "__main__":
    main()
