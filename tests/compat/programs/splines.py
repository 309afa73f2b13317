"""A Kolmogorov-Arnold network: on every edge a spline with learned coefficients."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from record import Run


class KANLinear(nn.Module):
    def __init__(self, inputs, outputs, grid_size=5, order=3):
        super().__init__()
        self.order, self.inputs, self.outputs = order, inputs, outputs
        h = 2 / grid_size
        grid = torch.arange(-order, grid_size + order + 1) * h - 1
        self.register_buffer("grid", grid.expand(inputs, -1).contiguous())
        self.base_weight = nn.Parameter(torch.Tensor(outputs, inputs))
        self.spline_weight = nn.Parameter(
            torch.Tensor(outputs, inputs, grid_size + order)
        )
        nn.init.kaiming_uniform_(self.base_weight, a=5**0.5)
        noise = (torch.rand(grid_size + 1, inputs, outputs) - 0.5) * 0.1
        points = self.grid.T[order:-order]
        with torch.no_grad():
            self.spline_weight.data.copy_(self.curve2coeff(points, noise))

    def bases(self, x):
        """The B-splines at x, by the recursion of Cox and de Boor."""
        x, grid = x.unsqueeze(-1), self.grid
        b = ((x >= grid[:, :-1]) & (x < grid[:, 1:])).to(x.dtype)
        for k in range(1, self.order + 1):
            left = (x - grid[:, : -(k + 1)]) / (grid[:, k:-1] - grid[:, : -(k + 1)])
            right = (grid[:, k + 1 :] - x) / (grid[:, k + 1 :] - grid[:, 1:(-k)])
            b = left * b[:, :, :-1] + right * b[:, :, 1:]
        return b.contiguous()

    def curve2coeff(self, x, y):
        A = self.bases(x).transpose(0, 1)
        solution = torch.linalg.lstsq(
            A.double() + 1e-3 * torch.eye(*A.shape[1:], dtype=torch.float64),
            y.transpose(0, 1).double(),
        ).solution
        return solution.float().permute(2, 0, 1).contiguous()

    def forward(self, x):
        base = F.linear(F.silu(x), self.base_weight)
        spline = F.linear(
            self.bases(x).view(x.size(0), -1),
            self.spline_weight.view(self.outputs, -1),
        )
        return base + spline

    def regularization(self):
        size = self.spline_weight.abs().mean(-1)
        p = size / size.sum()
        return size.sum() - torch.sum(p * p.log())


torch.manual_seed(0)
model = nn.Sequential(KANLinear(2, 5), KANLinear(5, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.98)

run = Run(model=model, optimizer=optimizer, scheduler=scheduler)
for step in run:
    x = torch.rand(64, 2) * 2 - 1
    y = torch.exp(torch.sin(torch.pi * x[:, [0]]) + x[:, [1]] ** 2)
    loss = F.mse_loss(model(x), y)
    total = loss + 1e-4 * sum(layer.regularization() for layer in model)
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    scheduler.step()
    run.loss(total, loss)
