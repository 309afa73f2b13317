"""The example programs run, learn, and go on where they stopped."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    monkeypatch.chdir(tmp_path)
    return load("mnist")


@pytest.mark.parametrize("model, least", [("mlp", 0.95), ("cnn", 0.97)])
def test_reads_digits(mnist, model, least, capsys, tmp_path):
    options = ["--data", "digits", "--model", model, "--epochs", "8"]
    history = mnist.main(options)
    assert history[-1]["accuracy"] >= least
    assert history == mnist.main(options)  # the same curve on every run
    printed = capsys.readouterr().out
    assert "Digits: 1437 training images of 8 x 8" in printed
    assert (tmp_path / "runs" / "mnist" / f"{model}.pt").is_file()
    if importlib.util.find_spec("matplotlib"):
        picture = (tmp_path / "runs" / "mnist" / f"{model}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")


def test_resumes_as_if_it_had_never_stopped(mnist, monkeypatch):
    options = ["--data", "digits", "--model", "cnn", "--epochs", "3"]
    whole = mnist.main([*options, "--out", "whole"])
    real = mnist.save

    def save_and_stop(args, keep, history, path):
        real(args, keep, history, path)
        if len(history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mnist, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            mnist.main([*options, "--out", "part"])
    assert mnist.main([*options, "--out", "part", "--resume"]) == whole
    with pytest.raises(SystemExit, match="another run"):
        mnist.main([*options[:-1], "5", "--out", "part", "--resume"])


def test_gpt_learns_to_write(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat. " * 200, encoding="utf-8")
    size = "--steps 60 --context 16 --width 32 --heads 2 --layers 1 --sample 40".split()
    written = load("gpt").main([str(text), *size])
    assert len(written) == 41 and set(written) <= set("the cat sat on the mat. ")
    assert "cat" in written or "mat" in written
    losses = [line for line in capsys.readouterr().out.split("\n") if "loss" in line]
    assert float(losses[-1].split()[3]) < 1.0


@pytest.mark.parametrize("name", ["mnist", "gpt"])
def test_help(name):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, EXAMPLES / f"{name}.py", "--help"]
    shown = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "--seed" in shown.stdout and "--device" in shown.stdout


def test_gpt_without_a_text(monkeypatch):
    monkeypatch.delenv("VEEM_DATA", raising=False)
    with pytest.raises(SystemExit, match="set VEEM_DATA"):
        load("gpt").main([])
