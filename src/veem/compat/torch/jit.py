"""torch.jit: scripts and traces are what they were made of; they cannot be saved."""


def script(obj, *_, **__):
    """The function or module itself: veem runs its Python."""
    return obj


def trace(func, example_inputs=None, *_, **__):
    """The function or module itself, which may branch on what it is given."""
    return func


def ignore(drop=False, **_):
    """A decorator that changes nothing."""
    return drop if callable(drop) else lambda function: function


unused = export = script_method = interface = lambda function: function


def is_scripting():
    """False: it is Python that runs."""
    return False


is_tracing = is_scripting


def annotate(the_type, the_value):
    """The value."""
    return the_value


Final = list  # Final[int] in annotations
