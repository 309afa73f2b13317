"""Automatic differentiation: backward, grad, Function, gradcheck."""

from veem.autograd import functional
from veem.autograd.anomaly import detect_anomaly, set_detect_anomaly
from veem.autograd.backward import backward, grad
from veem.autograd.engine import Node
from veem.autograd.function import Function
from veem.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from veem.autograd.gradcheck import gradcheck, gradgradcheck

__all__ = [
    "Function",
    "Node",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
