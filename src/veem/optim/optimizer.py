"""Optimizer: parameters in groups, each group with options of its own, and a step."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import veem
from veem import Tensor
from veem.autograd.engine import RemovableHandle


def _with_hooks(step: Callable) -> Callable:
    """A step() that runs the optimizer's hooks, once also where it calls super()'s."""

    @functools.wraps(step)
    def hooked(self, *args, **kwargs):
        if type(self).step is not hooked:
            return step(self, *args, **kwargs)
        for hook in tuple(self._step_pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(
                    f"{hook} must return None or a tuple of (new_args, new_kwargs), "
                    f"but got {changed}."
                )
            args, kwargs = changed
        result = step(self, *args, **kwargs)
        for hook in tuple(self._step_post_hooks.values()):
            hook(self, args, kwargs)
        self._opt_called = True  # learning rate schedulers look at it
        return result

    return hooked


class Optimizer:
    """The base class of optimizers.

    params: tensors, or dicts {"params": tensors, option: value, ...} whose options
    override `defaults`, or (name, tensor) pairs. A subclass writes _update() (or step()
    as a whole); what it remembers of a parameter p lies in the dict self.state[p].
    """

    _opt_called: bool  # has step() run since the last scheduler was made?

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of "
                f"Tensors or dicts, but got {params.type()}"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._make_hooks()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @_with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by their gradients; those without one stay.

        A closure computes the loss and the gradients anew; its result is returned.
        """
        loss = None
        if closure is not None:
            with veem.enable_grad():
                loss = closure()
        with veem.set_grad_enabled(self.defaults.get("differentiable", False)):
            for group in self.param_groups:
                params = [p for p in group["params"] if p.grad is not None]
                if params:
                    self._update(params, group)
        return loss

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """The formula: changes the params, which have gradients, as the group says."""
        raise NotImplementedError(
            f"{type(self).__name__} has no _update() and no step()"
        )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clears the gradients of all parameters; sets them to zero if not to None."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.detach_().zero_()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds {"params": tensors, option: value, ...}; defaults fill the rest."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but "
                "the ordering of tensors in sets will change between runs. "
                "Please use a list instead."
            )
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        if names and len(names) != len(params):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names "
                "are missing"
            )
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        self._check_group(param_group)
        self.param_groups.append(param_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        for p in group["params"]:
            if not isinstance(p, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is "
                    + type(p).__name__
                )
            if not (
                self.defaults.get("differentiable")
                or p.is_leaf
                or getattr(p, "retains_grad", False)
            ):
                raise ValueError("can't optimize a non-leaf Tensor")
        ids = [id(p) for p in group["params"]]
        if len(ids) != len(set(ids)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in "
                "future, this will cause an error",
                stacklevel=4,
            )
        if self.param_groups and ("param_names" in group) != (
            "param_names" in self.param_groups[0]
        ):
            having = "with" if "param_names" in group else "without"
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add "
                f"param group {having} names to the optimizer"
            )
        known = {id(p) for g in self.param_groups for p in g["params"]}
        if not known.isdisjoint(ids):
            raise ValueError("some parameters appear in more than one parameter group")

    # --- saving and loading: parameters are written as their numbers ----------------

    def state_dict(self) -> dict[str, Any]:
        """{"state": {number: what is kept of a parameter}, "param_groups": [options]}.

        The parameters themselves are replaced by their numbers in order.
        """
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self)
        numbers: dict[int, int] = {}
        for p in chain.from_iterable(g["params"] for g in self.param_groups):
            numbers.setdefault(id(p), len(numbers))
        saved = {
            "state": {
                numbers[id(p)] if isinstance(p, Tensor) else p: kept
                for p, kept in self.state.items()
            },
            "param_groups": [
                {
                    **{name: v for name, v in group.items() if name != "params"},
                    "params": [numbers[id(p)] for p in group["params"]],
                }
                for group in self.param_groups
            ],
        }
        for hook in tuple(self._state_dict_post_hooks.values()):
            changed = hook(self, saved)
            saved = saved if changed is None else changed
        return saved

    @veem.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the options and the state of an optimizer with groups of the same
        sizes; tensors are copied, and cast to their parameter's dtype and device."""
        state_dict = dict(state_dict)
        for hook in tuple(self._load_state_dict_pre_hooks.values()):
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups"
            )
        for ours, theirs in zip(self.param_groups, saved):
            if len(ours["params"]) != len(theirs["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match "
                    "the size of optimizer's group"
                )
        by_number: dict[Any, Tensor] = {}
        for ours, theirs in zip(self.param_groups, saved):
            by_number.update(zip(theirs["params"], ours["params"]))
            names = (
                {"param_names": ours["param_names"]} if "param_names" in ours else {}
            )
            options = deepcopy({k: v for k, v in theirs.items() if k != "params"})
            params = ours["params"]
            ours.clear()
            ours.update({**self.defaults, **options, **names, "params": params})
        self.state = defaultdict(dict)
        for number, kept in state_dict["state"].items():
            p = by_number.get(number)
            if p is None:
                self.state[number] = deepcopy(kept)
            else:
                self.state[p] = _fitted(kept, p)
        for hook in tuple(self._load_state_dict_post_hooks.values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in ("defaults", "state", "param_groups")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_hooks()

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {i}"]
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return f"{type(self).__name__} (" + "\n".join(lines) + "\n)"

    # --- hooks -------------------------------------------------------------------

    def _make_hooks(self) -> None:
        self._step_pre_hooks: OrderedDict = OrderedDict()
        self._step_post_hooks: OrderedDict = OrderedDict()
        self._state_dict_pre_hooks: OrderedDict = OrderedDict()
        self._state_dict_post_hooks: OrderedDict = OrderedDict()
        self._load_state_dict_pre_hooks: OrderedDict = OrderedDict()
        self._load_state_dict_post_hooks: OrderedDict = OrderedDict()

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """hook(optimizer, args, kwargs) runs before step; it may return new ones."""
        return RemovableHandle(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """hook(optimizer, args, kwargs) runs after step."""
        return RemovableHandle(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """hook(optimizer) runs before state_dict."""
        return RemovableHandle(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """hook(optimizer, state_dict) runs after it; it may return another one."""
        return RemovableHandle(self._state_dict_post_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """hook(optimizer, state_dict) runs before loading; it may return another."""
        return RemovableHandle(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """hook(optimizer) runs after loading."""
        return RemovableHandle(self._load_state_dict_post_hooks, hook)


def _fitted(value: Any, p: Tensor, key: Any = None) -> Any:
    """A copy of saved state, its tensors on p's device and in p's dtype. Counts of
    steps stay as they are, on the CPU."""
    if isinstance(value, dict):
        return {k: _fitted(v, p, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_fitted(v, p) for v in value)
    if key == "step":
        number = value if isinstance(value, Tensor) else veem.tensor(float(value))
        return number.to("cpu", copy=True)
    if isinstance(value, Tensor):
        dtype = p.dtype if p.is_floating_point() else value.dtype
        return value.detach().clone().to(p.device, dtype)
    return deepcopy(value)


def check_not_negative(what: str, value: float) -> None:
    if not value >= 0.0:
        raise ValueError(f"Invalid {what} {value}")


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def runs_fused(group: dict[str, Any]) -> bool:
    """Whether a group's step is one call of a kernel, as it is unless refused."""
    return group["fused"] is not False and not group["differentiable"]
