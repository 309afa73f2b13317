"""torch.utils.tensorboard: the writer of the package tensorboardX, if it is there."""


def __getattr__(name):
    if name not in ("SummaryWriter", "FileWriter"):
        raise AttributeError(name)
    try:
        import tensorboardX
    except ModuleNotFoundError:
        raise ImportError(
            f"torch.utils.tensorboard.{name} needs a package that writes TensorBoard's "
            "files: pip install veem[tensorboard], or tensorboardX"
        ) from None
    return getattr(tensorboardX, name)
