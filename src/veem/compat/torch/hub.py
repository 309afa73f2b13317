"""torch.hub: its progress bar. Models are not fetched from elsewhere to be run here."""

_REFUSED = "downloads code to run it; get it, and run it with python -m veem run"


def __getattr__(name):
    if name != "tqdm":
        raise AttributeError(name)
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise ImportError("torch.hub.tqdm is tqdm's: pip install tqdm") from None
    return tqdm


def load(repo_or_dir, model, *args, **kwargs):
    """Refused."""
    raise NotImplementedError(f"torch.hub.load({repo_or_dir!r}, {model!r}) {_REFUSED}")


def list(github, *args, **kwargs):
    """Refused."""
    raise NotImplementedError(f"torch.hub.list({github!r}) {_REFUSED}")
