"""Fits by LBFGS, whose closure runs several times a step: sines, and a valley."""

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from record import Run


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(1, 12)
        self.lstm2 = nn.LSTMCell(12, 12)
        self.linear = nn.Linear(12, 1)

    def forward(self, input, future=0):
        outputs = []
        h_t = torch.zeros(input.size(0), 12, dtype=torch.double)
        c_t, h_t2, c_t2 = h_t.clone(), h_t.clone(), h_t.clone()
        for input_t in input.split(1, dim=1):
            h_t, c_t = self.lstm1(input_t, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        for _ in range(future):
            h_t, c_t = self.lstm1(output, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        return torch.cat(outputs, dim=1)


np.random.seed(0)
torch.manual_seed(0)
waves = np.sin((np.arange(12) + np.random.randint(-10, 10, (6, 1))) / 2.0)
data = torch.from_numpy(waves)
seq = Sequence()
seq.double()
valley = nn.Parameter(torch.tensor([-1.2, 1.0]))
holder = nn.ParameterDict({"point": valley})
optimizer = optim.LBFGS(seq.parameters(), lr=0.8, max_iter=4)
walker = optim.LBFGS([valley], max_iter=3, line_search_fn="strong_wolfe")


def rosenbrock():
    walker.zero_grad()
    loss = (1 - valley[0]) ** 2 + 100 * (valley[1] - valley[0] ** 2) ** 2
    loss.backward()
    return loss


def closure():
    optimizer.zero_grad()
    loss = nn.MSELoss()(seq(data[:, :-1]), data[:, 1:])
    loss.backward()
    return loss


run = Run(steps=12, seq=seq, holder=holder, optimizer=optimizer, walker=walker)
for step in run:
    run.loss(optimizer.step(closure), walker.step(rosenbrock))

with torch.no_grad():
    print(seq(data[:, :-1], future=5)[:, -1].numpy())
