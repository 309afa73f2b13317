"""Graph attention on a dense adjacency matrix: two camps, few edges between them."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from record import Run

NODES, FEATURES = 40, 12


class GraphAttentionLayer(nn.Module):
    def __init__(self, in_features, out_features, dropout, alpha, concat=True):
        super().__init__()
        self.dropout, self.concat = dropout, concat
        self.W = nn.Parameter(torch.empty(size=(in_features, out_features)))
        nn.init.xavier_uniform_(self.W.data, gain=1.414)
        self.a = nn.Parameter(torch.empty(size=(2 * out_features, 1)))
        nn.init.xavier_uniform_(self.a.data, gain=1.414)
        self.leakyrelu = nn.LeakyReLU(alpha)
        self.out_features = out_features

    def forward(self, h, adj):
        Wh = torch.mm(h, self.W)
        left = torch.matmul(Wh, self.a[: self.out_features, :])
        right = torch.matmul(Wh, self.a[self.out_features :, :])
        e = self.leakyrelu(left + right.T)
        zero_vec = -9e15 * torch.ones_like(e)
        attention = F.softmax(torch.where(adj > 0, e, zero_vec), dim=1)
        attention = F.dropout(attention, self.dropout, training=self.training)
        h_prime = torch.matmul(attention, Wh)
        return F.elu(h_prime) if self.concat else h_prime


class GAT(nn.Module):
    def __init__(self, nheads=3, nhid=4, nclass=2, dropout=0.3):
        super().__init__()
        self.dropout = dropout
        self.attentions = [
            GraphAttentionLayer(FEATURES, nhid, dropout, 0.2) for _ in range(nheads)
        ]
        for i, attention in enumerate(self.attentions):
            self.add_module(f"attention_{i}", attention)
        self.out_att = GraphAttentionLayer(nhid * nheads, nclass, dropout, 0.2, False)

    def forward(self, x, adj):
        x = F.dropout(x, self.dropout, training=self.training)
        x = torch.cat([att(x, adj) for att in self.attentions], dim=1)
        x = F.dropout(x, self.dropout, training=self.training)
        return F.log_softmax(F.elu(self.out_att(x, adj)), dim=1)


torch.manual_seed(72)
labels = (torch.arange(NODES) % 2).long()
same = labels.unsqueeze(0) == labels.unsqueeze(1)
adj = (torch.rand(NODES, NODES) < torch.where(same, 0.3, 0.05)).float()
adj = torch.max(adj, adj.t()) + torch.eye(NODES)
features = torch.randn(NODES, FEATURES) + 0.5 * labels[:, None]
idx_train = torch.LongTensor(range(20))
idx_val = torch.LongTensor(range(20, 40))

model = GAT()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005, weight_decay=5e-4)
for step in (run := Run(model=model, optimizer=optimizer)):
    model.train()
    optimizer.zero_grad()
    output = model(features, adj)
    loss = F.nll_loss(output[idx_train], labels[idx_train])
    loss.backward()
    optimizer.step()
    model.eval()
    output = model(features, adj)
    preds = output[idx_val].max(1)[1].type_as(labels)
    correct = preds.eq(labels[idx_val]).double().sum()
    run.loss(loss, F.nll_loss(output[idx_val], labels[idx_val]))
print(correct / len(idx_val))
