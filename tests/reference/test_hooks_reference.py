"""Hooks beside PyTorch's."""

import pytest

torch = pytest.importorskip("torch")

from side_by_side import net, same, words  # noqa: E402

HOOKS = {
    "forward": lambda m, note: m.fc.register_forward_hook(
        lambda mod, args, out: note(type(mod).__name__, args, out)
    ),
    "forward changes": lambda m, note: m.fc.register_forward_hook(
        lambda mod, args, out: out * 2
    ),
    "kwargs": lambda m, note: m.register_forward_hook(
        lambda mod, args, kwargs, out: note(args, kwargs, out), with_kwargs=True
    ),
    "pre": lambda m, note: m.fc.register_forward_pre_hook(lambda mod, args: note(args)),
    "pre changes": lambda m, note: m.fc.register_forward_pre_hook(
        lambda mod, args: args[0] * 3
    ),
    "pre kwargs": lambda m, note: m.register_forward_pre_hook(
        lambda mod, args, kwargs: ((args[0] + 1,), kwargs), with_kwargs=True
    ),
    "pre kwargs wrong": lambda m, note: m.register_forward_pre_hook(
        lambda mod, args, kwargs: 3, with_kwargs=True
    ),
    "two": lambda m, note: [
        m.register_forward_hook(lambda *_: note("first")),
        m.register_forward_hook(lambda *_: note("second")),
        m.register_forward_hook(lambda *_: note("zeroth"), prepend=True),
    ],
    "removed": lambda m, note: m.register_forward_hook(lambda *_: note("no")).remove(),
    "backward": lambda m, note: m.body.register_full_backward_hook(
        lambda mod, grad_in, grad_out: note(grad_in, grad_out)
    ),
    "backward at the input": lambda m, note: m.fc.register_full_backward_hook(
        lambda mod, grad_in, grad_out: note(grad_in, grad_out)
    ),
    "backward changes": lambda m, note: m.body.register_full_backward_hook(
        lambda mod, grad_in, grad_out: (grad_in[0] * 2,)
    ),
    "backward pre": lambda m, note: m.body.register_full_backward_pre_hook(
        lambda mod, grad_out: note(grad_out) or (grad_out[0] * 2,)
    ),
    "backward wrong": lambda m, note: m.register_full_backward_hook(
        lambda mod, grad_in, grad_out: grad_out
    ),
    "backward too many": lambda m, note: m.body.register_full_backward_hook(
        lambda mod, grad_in, grad_out: (None, None)
    ),
}


@pytest.mark.parametrize("name", HOOKS)
def test_hooks(name):
    def program(lib):
        notes = []
        m = net(lib)
        HOOKS[name](m, lambda *what: notes.append(words(what)))
        x = lib.tensor([[1.0, -2.0], [0.5, 3.0]])
        m(x=x) if "kwargs" == name else m(x)
        m(x).sum().backward()
        return notes, [p.grad for p in m.parameters() if p.grad is not None]

    same(program)


def test_always_called_hook():
    def program(lib):
        notes = []
        m = lib.nn.Sequential(lib.nn.Linear(2, 2))
        m.register_forward_hook(lambda *_: notes.append("never"))
        m.register_forward_hook(lambda *_: notes.append("always"), always_call=True)
        with pytest.raises(RuntimeError):
            m(lib.ones(3, 5))
        return notes

    same(program)


def test_state_dict_hooks():
    def program(lib):
        m = net(lib)
        seen = []
        m.register_state_dict_pre_hook(lambda mod, prefix, keep: seen.append(prefix))
        m.fc.register_state_dict_post_hook(
            lambda mod, state, prefix, local: seen.append((prefix, local))
        )
        m.fc.register_load_state_dict_pre_hook(
            lambda mod, state, prefix, *rest: state.pop(prefix + "weight")
        )
        m.register_load_state_dict_post_hook(
            lambda mod, keys: seen.append(list(keys.missing_keys))
        )
        m.load_state_dict(m.state_dict(), strict=False)
        return seen

    same(program)
