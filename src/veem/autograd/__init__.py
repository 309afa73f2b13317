"""Automatic differentiation: backward, grad, Function, gradcheck."""

from veem.autograd.backward import backward, grad
from veem.autograd.engine import Node
from veem.autograd.function import Function
from veem.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from veem.autograd.gradcheck import gradcheck, gradgradcheck

__all__ = [
    "Function",
    "Node",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]
