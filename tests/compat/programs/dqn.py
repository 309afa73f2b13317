"""Deep Q-learning: a corridor, a memory of transitions, a target network that lags."""

import copy
import math
import random

import torch
import torch.nn as nn
from record import Run

SIZE = 6


class Memory:
    """The last transitions: (state, action, next state, reward) as rows of tensors."""

    def __init__(self, capacity):
        self.capacity, self.rows = capacity, []

    def push(self, *row):
        self.rows = [*self.rows, row][-self.capacity :]

    def sample(self, count):
        chosen = torch.randperm(len(self.rows))[:count].tolist()
        return [torch.stack(column) for column in zip(*(self.rows[i] for i in chosen))]

    def state_dict(self):
        return {"rows": [list(row) for row in self.rows]}

    def load_state_dict(self, state):
        self.rows = [tuple(row) for row in state["rows"]]

    def __len__(self):
        return len(self.rows)


class DQN(nn.Module):
    def __init__(self, n_observations, n_actions):
        super().__init__()
        self.layer1 = nn.Linear(n_observations, 24)
        self.layer2 = nn.Linear(24, 24)
        self.layer3 = nn.Linear(24, n_actions)

    def forward(self, x):
        x = torch.relu(self.layer1(x))
        return self.layer3(torch.relu(self.layer2(x)))


def observe(place):
    return nn.functional.one_hot(torch.tensor(place), SIZE).float()


torch.manual_seed(0)
policy_net = DQN(SIZE, 2)
target_net = DQN(SIZE, 2)
target_net.load_state_dict(policy_net.state_dict())
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=1e-3, amsgrad=True)
memory = Memory(100)
criterion = nn.SmoothL1Loss()

run = Run(policy=policy_net, target=target_net, optimizer=optimizer, memory=memory)
for step in run:
    random.seed(step)
    place, losses = SIZE // 2, []
    for t in range(12):
        threshold = 0.1 + 0.8 * math.exp(-step / 20)
        if random.random() > threshold:
            with torch.no_grad():
                action = policy_net(observe(place).unsqueeze(0)).max(1).indices.view(1)
        else:
            action = torch.tensor([random.randrange(2)], dtype=torch.long)
        after = place + (1 if action.item() else -1)
        reward = torch.tensor([1.0 if after == SIZE - 1 else 0.0])
        done = after in (0, SIZE - 1)
        goal = torch.zeros(SIZE) if done else observe(after)
        memory.push(observe(place), action, goal, reward)
        place = after
        if len(memory) >= 8:
            state, act, following, rewards = memory.sample(8)
            chosen = policy_net(state).gather(1, act)
            with torch.no_grad():
                values = torch.zeros(8)
                mask = following.sum(1) > 0
                if mask.any():
                    values[mask] = target_net(following[mask]).max(1).values
            loss = criterion(chosen, (values * 0.9 + rewards.squeeze(1)).unsqueeze(1))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
            optimizer.step()
            losses.append(loss.item())
        slow, fast = target_net.state_dict(), policy_net.state_dict()
        for key in fast:
            slow[key] = fast[key] * 0.05 + slow[key] * 0.95
        target_net.load_state_dict(slow)
        if done:
            break
    run.loss(sum(losses) / max(len(losses), 1), t)

assert copy.deepcopy(policy_net) is not policy_net
