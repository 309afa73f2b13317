"""torch.hub: its progress bar."""


def __getattr__(name):
    if name != "tqdm":
        raise AttributeError(name)
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise ImportError("torch.hub.tqdm is tqdm's: pip install tqdm") from None
    return tqdm
