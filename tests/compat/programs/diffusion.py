"""A diffusion model: a UNet with time steps and attention foretells the noise."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from record import Run

STEPS = 20


class TimeEmbedding(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)
        )

    def forward(self, t):
        half = self.width // 2
        rates = torch.exp(torch.arange(half) * -(math.log(10000) / (half - 1)))
        angles = t[:, None].float() * rates[None, :]
        return self.mlp(torch.cat((angles.sin(), angles.cos()), dim=-1))


class Block(nn.Module):
    def __init__(self, inside, outside, width):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(4, inside), nn.GroupNorm(4, outside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.time = nn.Linear(width, outside)
        same = inside == outside
        self.skip = nn.Identity() if same else nn.Conv2d(inside, outside, 1)

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time(F.silu(t))[:, :, None, None]
        h = self.conv2(F.dropout(F.silu(self.norm2(h)), 0.1, self.training))
        return h + self.skip(x)


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(4, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.out = nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        b, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x).reshape(b, c, h * w)).chunk(3, dim=1)
        weights = torch.einsum("bct,bcs->bts", q * c**-0.25, k * c**-0.25).softmax(-1)
        return x + self.out(torch.einsum("bts,bcs->bct", weights, v)).view(b, c, h, w)


class UNet(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.time = TimeEmbedding(width)
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.down = Block(width, width, width)
        self.pool = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.middle = Block(2 * width, 2 * width, width)
        self.attention = Attention(2 * width)
        self.smooth = nn.Conv2d(2 * width, width, 3, padding=1)
        self.up = Block(2 * width, width, width)
        self.last = nn.Sequential(
            nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, 1, 3, padding=1)
        )

    def forward(self, x, t):
        t = self.time(t)
        high = self.down(self.first(x), t)
        low = self.attention(self.middle(self.pool(high), t))
        low = self.smooth(F.interpolate(low, scale_factor=2, mode="nearest"))
        return self.last(self.up(torch.cat([low, high], dim=1), t))


class Average:
    """An exponential moving average of a model's parameters."""

    def __init__(self, model, beta=0.95):
        self.beta = beta
        self.shadow = {n: p.data.clone() for n, p in model.named_parameters()}

    def update(self, model):
        for name, p in model.named_parameters():
            self.shadow[name].mul_(self.beta).add_(p.data, alpha=1 - self.beta)

    def state_dict(self):
        return self.shadow

    def load_state_dict(self, state):
        self.shadow = {n: v.clone() for n, v in state.items()}


torch.manual_seed(11)
betas = torch.linspace(1e-4, 0.2, STEPS)
alphas = torch.cumprod(1.0 - betas, dim=0)
model = UNet()
average = Average(model)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-4)
grid = torch.linspace(-1, 1, 8)

for step in (run := Run(model=model, average=average, optimizer=optimizer)):
    images = (torch.rand(8, 1, 1, 1) * 4 * (grid[:, None] + grid)).cos()
    t = torch.randint(0, STEPS, (8,)).long()
    noise = torch.randn_like(images)
    a = alphas.gather(-1, t).reshape(-1, 1, 1, 1)
    noisy = a.sqrt() * images + (1 - a).sqrt() * noise
    loss = F.mse_loss(model(noisy, t), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    average.update(model)
    run.loss(loss)

model.eval()
with torch.no_grad():
    x = torch.randn(2, 1, 8, 8)
    for i in reversed(range(STEPS)):
        t = torch.full((2,), i, dtype=torch.long)
        noise = torch.randn_like(x) if i else torch.zeros_like(x)
        x = x - betas[i] / torch.sqrt(1 - alphas[i]) * model(x, t)
        x = x / torch.sqrt(1 - betas[i]) + torch.sqrt(betas[i]) * noise
print(x.mean())
