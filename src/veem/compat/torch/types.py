"""torch.types: names for annotations."""

import builtins

import veem

Number = builtins.int | builtins.float | builtins.bool
Device = veem.device | builtins.str | builtins.int | None
Tensor, Size = veem.Tensor, veem.Size
