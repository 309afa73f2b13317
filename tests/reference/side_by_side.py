"""Runs one program with veem and with PyTorch; both must say the same.

A program is a function of the library. Its result (or its exception's type and text) is
turned into words, in which the library's own name is replaced.
"""

import re
import warnings

import numpy as np
import torch

import veem


def words(value):
    if isinstance(value, (veem.Tensor, torch.Tensor)):
        kind = "Parameter" if "Parameter" in type(value).__name__ else "Tensor"
        array = np.asarray(value.detach().tolist())
        flags = value.requires_grad
        return f"{kind}{tuple(value.shape)} {flags} {np.round(array, 5).tolist()}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {words(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(words, value)) + "]"
    return neutral(repr(value))


def neutral(text):
    text = re.sub(r"torch\.nn\.modules\.\w+\.", "nn.", text)
    text = re.sub(r"(torch|veem)\.(nn|optim)\.\w+\.(?=[A-Z])", r"\2.", text)
    text = re.sub(r"(torch|veem)\.(Float|Double|Long|cuda\.)?Tensor", "Tensor", text)
    text = re.sub(r"veem\.(float32|float64|int64)(?=')", "Tensor", text)
    text = (
        text.replace(" or complex", "")
        .replace("nn.Buffer, ", "")
        .replace("torch.", "veem.")
    )
    text = text.replace("torch Tensor", "veem Tensor").replace("veem.Tensor", "Tensor")
    return re.sub(r"veem\.nn\.", "nn.", text).replace("veem.Buffer, ", "")


def outcome(lib, program):
    lib.manual_seed(3)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            said = words(program(lib))
        except Exception as error:
            said = f"{type(error).__name__}: {neutral(str(error))}"
    return said, [w.category.__name__ for w in seen]


def same(program):
    ours, theirs = outcome(veem, program), outcome(torch, program)
    assert ours == theirs, f"\nveem:  {ours}\ntorch: {theirs}"


def net(lib):
    nn = lib.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 3)
            self.register_buffer("mean", lib.ones(2))
            self.register_buffer("scratch", lib.zeros(1), persistent=False)
            self.body = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
            self.layers = nn.ModuleList([nn.Linear(1, 1) for _ in range(2)])
            self.table = nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.Identity()})
            self.scale = nn.Parameter(lib.ones(2))
            self.head = self.fc  # shared
            self.register_parameter("none", None)
            self.nothing = None

        def forward(self, x):
            return self.body(self.fc((x - self.mean) * self.scale))

    return Net()


def image_net(lib):
    nn = lib.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, (3, 5), stride=2, dilation=(1, 2), groups=2, bias=False),
        nn.Flatten(),
        nn.LayerNorm(6),
        nn.Dropout(0.25),
    )
