"""REINFORCE and an actor with a critic, on a stick that is balanced on a finger."""

from collections import namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from record import Run
from torch.distributions import Categorical

SavedAction = namedtuple("SavedAction", ["log_prob", "value"])


class Stick:
    """Falls ever faster; pushes hold it up. Done when it leans too far."""

    def reset(self):
        self.angle, self.speed = 0.02, 0.0
        return torch.tensor([self.angle, self.speed])

    def step(self, action):
        self.speed += 0.1 * self.angle + (0.03 if action else -0.03)
        self.angle += self.speed
        done = abs(self.angle) > 0.3
        return torch.tensor([self.angle, self.speed]), 1.0, done


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(2, 16)
        self.dropout = nn.Dropout(p=0.2)
        self.action_head = nn.Linear(16, 2)
        self.value_head = nn.Linear(16, 1)

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


torch.manual_seed(543)
env, policy = Stick(), Policy()
optimizer = optim.Adam(policy.parameters(), lr=1e-2)
eps = torch.finfo(torch.float32).eps

for step in (run := Run(policy=policy, optimizer=optimizer)):
    state, saved, rewards, entropy = env.reset(), [], [], []
    for t in range(20):
        probs, value = policy(state)
        m = Categorical(probs)
        action = m.sample()
        saved.append(SavedAction(m.log_prob(action), value))
        entropy.append(m.entropy())
        state, reward, done = env.step(action.item())
        rewards.append(reward)
        if done:
            break
    R, returns = 0, []
    for r in rewards[::-1]:
        R = r + 0.99 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    policy_losses, value_losses = [], []
    for (log_prob, value), R in zip(saved, returns):
        policy_losses.append(-log_prob * (R - value.item()))
        value_losses.append(F.smooth_l1_loss(value, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    run.loss(loss, len(rewards), torch.stack(entropy).mean())
