"""The modules torch and torch.*: where a name of PyTorch's is looked up.

torch.a.b is looked up in the file of that path here (veem.compat.torch.a.b), then in
veem's own module of that path (veem.a.b), then among what is refused. What is nowhere
raises AttributeError, with the nearest name that is there.
"""

import difflib
import importlib
import importlib.abc
import importlib.machinery
import sys
import types

from veem.compat import refused
from veem.compat.refused import Refused, reason_for, refused_below

ROOTS = ("torch", "torchvision")
# These would look for parts of PyTorch that veem does not have.
STRANGERS = ("torchaudio", "torchtext", "functorch", "torchgen")

# Files of PyTorch that veem cuts in another way: each offers all names of its package.
PATHS = {
    "torch": "_tensor functional",
    "torch.autograd": "variable",
    "torch.nn.modules": """activation adaptive batchnorm channelshuffle container conv
        distance dropout flatten fold instancenorm linear loss module normalization
        padding pixelshuffle pooling rnn sparse transformer upsampling utils""",
    "torch.optim": """adadelta adagrad adam adamax adamw asgd lbfgs nadam radam rmsprop
        rprop sgd""",
    "torch.distributions": """bernoulli beta categorical exponential gamma independent
        kl laplace multivariate_normal normal uniform""",
}


class Module(types.ModuleType):
    """A module of PyTorch, with the names of its sources: some modules of veem."""

    def __init__(self, name, sources):
        super().__init__(name, getattr(sources[0], "__doc__", None) if sources else "")
        self._sources = sources
        self.__file__ = getattr(sources[0] if sources else refused, "__file__", None)

    def __getattr__(self, name):
        if name.startswith("__") and name not in ("__version__", "__all__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = dir(self) if name == "__all__" else self._find(name)
        setattr(self, name, found)  # at hand the next time
        return found

    def _find(self, name):
        full = f"{self.__name__}.{name}"
        for source in self._sources:
            value = getattr(source, name, self)
            if value is not self and not isinstance(value, types.ModuleType):
                return value
        if exists(full):
            return importlib.import_module(full)
        if reason := reason_for(full):
            return Refused(full, reason)
        raise AttributeError(lacking(full))

    def __dir__(self):
        names = {name for source in self._sources for name in public(source)}
        return sorted(names | {n for n in self.__dict__ if not n.startswith("_")})


def public(source):
    """The names that a module of veem offers."""
    listed = getattr(source, "__all__", None)
    for name in dir(source) if listed is None else listed:
        is_module = isinstance(getattr(source, name), types.ModuleType)
        if not name.startswith("_") and (listed or not is_module):
            yield name


# Where a name may be that was looked for elsewhere.
_PLACES = """torch torch.nn torch.nn.functional torch.Tensor torch.linalg torch.optim
torch.special torch.nn.utils torch.utils.data torch.autograd torch.distributions"""


def lacking(full):
    """What to say of a name that veem does not have, with the nearest that it has."""
    module, _, name = full.rpartition(".")
    owner = "'Tensor' object" if module == "torch.Tensor" else f"module {module!r}"
    says = f"{owner} has no attribute {name!r} in veem"
    homes = [p for p in _PLACES.split() if p != module and name in dir(resolve(p))]
    if homes:
        return f"{says}; there is {homes[0]}.{name}"
    near = difflib.get_close_matches(name, dir(resolve(module)), 1)
    return f"{says}; the nearest is {module}.{near[0]}" if near else says


def resolve(full):
    """What a dotted name stands for; AttributeError or ImportError where nothing."""
    root, *rest = full.split(".")
    value = importlib.import_module(root)
    for name in rest:
        value = getattr(value, name)
    return value


# ---- import ------------------------------------------------------------------------


def _imported(name):
    """A module of veem's, or None if there is none of that name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name + ".").startswith(error.name + "."):
            return None
        raise


def sources(full):
    """The modules of veem that offer the names of a module of PyTorch's."""
    root, _, path = full.partition(".")
    places = [f"veem.compat.{full}"]
    if root == "torch":
        places.append(f"veem.{path}" if path else "veem")
    found = [module for place in places if (module := _imported(place))]
    parent, _, last = full.rpartition(".")
    if last in PATHS.get(parent, "").split():
        found += [s for s in sources(parent) if s not in found]
    return found


def exists(full):
    """Is it a module, with names or with refusals?"""
    return full in sys.modules or bool(sources(full)) or refused_below(full)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Asked before all others, so that no other torch can be imported."""

    def find_spec(self, fullname, path=None, target=None):
        root = fullname.partition(".")[0]
        if root in STRANGERS:
            raise ModuleNotFoundError(
                f"{fullname} works with PyTorch's own torch only, not with veem's",
                name=fullname,
            )
        if root not in ROOTS:
            return None
        if not exists(fullname):
            if fullname == root:  # which another finder could know
                raise ModuleNotFoundError(
                    f"veem has no {root}, and would not work with another", name=root
                )
            return None
        return importlib.machinery.ModuleSpec(
            fullname, self, origin="veem", is_package=True
        )

    def create_module(self, spec):
        return Module(spec.name, sources(spec.name))

    def exec_module(self, module):
        # Programs look models up by name, in torchvision.models.__dict__.
        if module.__name__.startswith("torchvision."):
            for name in dir(module):
                getattr(module, name)


def installed():
    """Is the finder in its place?"""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)


def install():
    """Has imports of torch find veem from now on."""
    sys.meta_path.insert(0, Finder())
