"""A vision transformer of nn.TransformerEncoder, with mixed up targets and warm-up."""

import torch
from record import Run
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR


class ViT(nn.Module):
    def __init__(self, image=8, patch=2, width=24, classes=4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        count = (image // patch) ** 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, count + 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            d_model=width,
            nhead=4,
            dim_feedforward=48,
            dropout=0.1,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)
        nn.init.trunc_normal_(self.cls_token, std=0.02)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        x = self.encoder(x + self.pos_embed)
        return self.head(self.norm(x[:, 0]))


torch.manual_seed(5)
model = ViT()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
warmup = LinearLR(optimizer, start_factor=0.1, total_iters=10)
cosine = CosineAnnealingLR(optimizer, T_max=40)
scheduler = SequentialLR(optimizer, [warmup, cosine], milestones=[10])
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

run = Run(model=model, optimizer=optimizer, scheduler=scheduler)
for step in run:
    labels = torch.randint(0, 4, (16,))
    images = torch.randn(16, 3, 8, 8)
    images[torch.arange(16), labels % 3] += 1.0 + labels.view(-1, 1, 1) / 3
    lam = torch.distributions.Beta(0.4, 0.4).sample()
    order = torch.randperm(16)
    mixed = lam * images + (1 - lam) * images[order]
    logits = model(mixed)
    loss = lam * criterion(logits, labels)
    loss = loss + (1 - lam) * criterion(logits, labels[order])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    run.loss(loss, optimizer.param_groups[0]["lr"])

with torch.inference_mode():
    print(model.eval()(images).argmax(dim=1).eq(labels).float().mean().item())
