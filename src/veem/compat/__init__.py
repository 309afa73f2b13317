"""Runs programs written for PyTorch on veem, in this process only.

    import veem.compat
    veem.compat.install()
    import torch  # is veem from now on

`python -m veem run script.py` does that for a script. Nothing in veem imports this
package; how names are looked up is in modules.py, what is refused in refused.py.
"""

import multiprocessing.spawn
import sys

from veem.compat import legacy, modules

__all__ = ["install"]


def install():
    """Puts veem under the names torch and torchvision, for this process.

    Processes that it starts with multiprocessing have them too. RuntimeError where
    the real PyTorch has been imported before; afterwards it cannot be any more.
    """
    if modules.installed():
        return
    for root in modules.ROOTS:
        if root in sys.modules:
            raise RuntimeError(
                f"veem.compat.install: {root} is already imported, from "
                f"{getattr(sys.modules[root], '__file__', 'elsewhere')}; two packages "
                "cannot have one name: call install() before anything imports it, or "
                "start the program with: python -m veem run FILE"
            )
    legacy.apply()
    modules.install()
    _reach_children()


class _InChild:
    """Installs where it is unpickled."""

    def __reduce__(self):
        return install, ()


def _reach_children():
    """A spawned process unpickles what to prepare before it imports the program."""
    prepare = multiprocessing.spawn.get_preparation_data

    def get_preparation_data(name):
        return {**prepare(name), "veem": _InChild()}

    multiprocessing.spawn.get_preparation_data = get_preparation_data
