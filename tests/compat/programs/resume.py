"""Checkpoint and resume: a run that is cut and goes on ends as one that was not cut."""

import io
import os
import tempfile

import torch
import torch.nn as nn
from record import Run
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler, random_split


class Points(Dataset):
    def __init__(self, count=96):
        self.x = torch.randn(count, 4)
        self.y = (self.x.prod(1) > 0).long()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "y": self.y[i]}


class Trainer:
    def __init__(self):
        self.net = nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ELU(), nn.Dropout(0.1)
        )
        self.head = nn.Linear(16, 2)
        self.model = nn.ModuleDict({"net": self.net, "head": self.head})
        params = [
            {"params": self.net.parameters()},
            {"params": self.head.parameters(), "lr": 3e-3},
        ]
        self.optimizer = torch.optim.Adam(params, lr=1e-2)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 5, 0.9)

    def step(self, batch):
        self.model.train()
        self.optimizer.zero_grad()
        logits = self.head(self.net(batch["x"]))
        loss = nn.functional.cross_entropy(logits, batch["y"])
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        return loss.item()

    def save(self, path):
        torch.save(
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.scheduler.state_dict(),
                "rng": torch.get_rng_state(),
            },
            path,
        )

    def load(self, path):
        saved = torch.load(path, map_location="cpu")
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scheduler.load_state_dict(saved["scheduler"])
        torch.set_rng_state(saved["rng"])


torch.manual_seed(21)
train, test = random_split(Points(), [80, 16])
weights = [1.0 + (i % 3) for i in range(80)]
sampler = WeightedRandomSampler(weights, 80)
loader = DataLoader(train, batch_size=16, sampler=sampler, drop_last=True)
trainer = Trainer()
path = os.path.join(tempfile.mkdtemp(), "checkpoint.pt")

run = Run(model=trainer.model, optimizer=trainer.optimizer, scheduler=trainer.scheduler)
for step in run:
    batch = next(iter(loader))
    trainer.save(path)
    loss = trainer.step(batch)
    again = Trainer()
    after = torch.get_rng_state()
    again.load(path)
    assert again.step(batch) == loss
    torch.set_rng_state(after)
    run.loss(loss, trainer.scheduler.get_last_lr()[0])

buffer = io.BytesIO()
torch.save(trainer.model, buffer)
buffer.seek(0)
whole = torch.load(buffer, weights_only=False)
for a, b in zip(whole.parameters(), trainer.model.parameters()):
    assert torch.equal(a, b)
os.remove(path)
