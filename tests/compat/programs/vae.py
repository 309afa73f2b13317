"""A variational autoencoder: a sample is reparametrized, the loss sums BCE and KL."""

import torch
import torch.nn.functional as F
import torch.utils.data
from record import Run
from torch import nn, optim


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 32)
        self.fc21 = nn.Linear(32, 4)
        self.fc22 = nn.Linear(32, 4)
        self.fc3 = nn.Linear(4, 32)
        self.fc4 = nn.Linear(32, 64)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 64))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon, x, mu, logvar):
    bce = F.binary_cross_entropy(recon, x.view(-1, 64), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld, kld


torch.manual_seed(1)
model = VAE().to(torch.device("cpu"))
optimizer = optim.Adam(model.parameters(), lr=1e-3)
rows = torch.arange(8.0)
centres = torch.rand(128, 2) * 8
images = torch.exp(
    -((rows[None, :, None] - centres[:, 0, None, None]) ** 2)
    - (rows[None, None, :] - centres[:, 1, None, None]) ** 2
).unsqueeze(1)
dataset = torch.utils.data.TensorDataset(images, torch.zeros(128))


def batches():
    while True:
        loader = torch.utils.data.DataLoader(dataset, batch_size=32, shuffle=True)
        for batch, (data, _) in enumerate(loader):
            yield data


endless = batches()
for step in (run := Run(model=model, optimizer=optimizer)):
    if step == run.steps:
        endless = batches()
    data = next(endless)
    optimizer.zero_grad()
    recon, mu, logvar = model(data)
    loss, kld = loss_function(recon, data, mu, logvar)
    loss.backward()
    optimizer.step()
    run.loss(loss / len(data), kld / len(data))

with torch.no_grad():
    print(model.decode(torch.randn(2, 4)).view(2, 1, 8, 8).mean())
