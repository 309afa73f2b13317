"""A Wasserstein GAN with a penalty on its critic's gradient: a second derivative."""

import torch
from record import Run
from torch import autograd, nn


def mlp(inputs, outputs):
    return nn.Sequential(
        nn.Linear(inputs, 32),
        nn.LeakyReLU(0.2),
        nn.Linear(32, 32),
        nn.Tanh(),
        nn.Linear(32, outputs),
    )


def gradient_penalty(critic, real, fake):
    alpha = torch.rand(real.size(0), 1).expand(real.size())
    between = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    scores = critic(between)
    gradients = autograd.grad(
        outputs=scores,
        inputs=between,
        grad_outputs=torch.ones(scores.size()),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * 10


torch.manual_seed(3)
generator, critic = mlp(2, 2), mlp(2, 1)
optimizers = {
    "optimizerG": torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9)),
    "optimizerC": torch.optim.RMSprop(critic.parameters(), lr=1e-3),
}
for step in (run := Run(generator=generator, critic=critic, **optimizers)):
    for p in critic.parameters():
        p.requires_grad = True
    for _ in range(2):
        corners = torch.randint(0, 2, (16, 2)).float() * 2 - 1
        real = corners + 0.1 * torch.randn(16, 2)
        critic.zero_grad()
        with torch.no_grad():
            fake = generator(torch.randn(16, 2))
        penalty = gradient_penalty(critic, real.data, fake.data)
        loss = critic(fake).mean() - critic(real).mean() + penalty
        loss.backward()
        optimizers["optimizerC"].step()
    for p in critic.parameters():
        p.requires_grad = False
    generator.zero_grad()
    score = -critic(generator(torch.randn(16, 2))).mean()
    score.backward()
    optimizers["optimizerG"].step()
    run.loss(loss, penalty, score)
