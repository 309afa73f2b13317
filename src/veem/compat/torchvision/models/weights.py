"""How networks are made: with random weights, or with those of a file.

Nothing is downloaded. The names of published weights exist, so that programs that
mention them are understood, and say where the file is to be had.
"""

import enum
import os

import veem

_PUBLISHED = "https://download.pytorch.org/models/"


def builder(name, make, file):
    """The function that makes a network: make(**kwargs), and weights where wished."""

    def build(weights=None, progress=True, *, pretrained=False, **kwargs):
        chosen = weights or pretrained
        if chosen and not (isinstance(chosen, (str, os.PathLike)) and _is_file(chosen)):
            raise NotImplementedError(
                f"{name}: weights are not downloaded here ({chosen} was asked for); "
                f"get {_PUBLISHED}{file} and pass weights='path of that file'"
            )
        network = make(**kwargs)
        if chosen:
            network.load_state_dict(veem.load(chosen))
        return network

    build.__name__ = build.__qualname__ = name
    build.__doc__ = (
        f"{name} with random weights, or those of a file: weights='path'. More "
        f"keywords go to {getattr(make, '__name__', 'the network')}."
    )
    return build


def _is_file(path):
    return os.path.isfile(path)


def published(name, file):
    """The enumeration of a network's published weights, as `resnet18` has."""
    url = _PUBLISHED + file
    return enum.Enum(name, {"IMAGENET1K_V1": url, "DEFAULT": url})
