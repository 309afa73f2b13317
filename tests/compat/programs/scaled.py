"""Scaled gradients: accumulated, clipped, and steps left out where they overflow."""

import torch
import torch.nn as nn
from record import Run
from torch.amp import GradScaler, autocast

torch.manual_seed(6)
model = nn.Sequential(nn.Linear(6, 12), nn.CELU(), nn.Linear(12, 3))
model = torch.compile(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
scaler = GradScaler("cpu", init_scale=2.0**10, growth_interval=4)
teacher = torch.randn(6, 3)

for step in (run := Run(model=model, optimizer=optimizer, scaler=scaler)):
    optimizer.zero_grad(set_to_none=True)
    for _ in range(2):
        x = torch.randn(8, 6)
        with autocast("cpu", enabled=False):
            loss = nn.functional.cross_entropy(model(x), (x @ teacher).argmax(1)) / 2
        scaler.scale(loss).backward()
    if step % 9 == 5:  # an overflow
        model.get_parameter("_orig_mod.0.weight").grad[0, 0] = float("inf")
    scaler.unscale_(optimizer)
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    scaler.step(optimizer)
    scaler.update()
    run.loss(loss, scaler.get_scale(), norm if torch.isfinite(norm) else 0.0)
