"""An LSTM language model: words in columns, hidden states carried on, plain SGD."""

import torch
import torch.nn as nn
from record import Run

WORDS, WIDTH, LENGTH, COLUMNS = 20, 16, 7, 4


class Model(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.drop = nn.Dropout(0.2)
        self.encoder = nn.Embedding(WORDS, WIDTH)
        self.rnn = getattr(nn, kind)(WIDTH, WIDTH, 2, dropout=0.2)
        self.decoder = nn.Linear(WIDTH, WORDS)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

    def forward(self, words, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(words)), hidden)
        decoded = self.decoder(self.drop(output)).view(-1, WORDS)
        return nn.functional.log_softmax(decoded, dim=1), hidden


def detached(hidden):
    """The values without their history."""
    if isinstance(hidden, torch.Tensor):
        return hidden.detach()
    return tuple(detached(h) for h in hidden)


def batchify(words):
    words = words.narrow(0, 0, words.size(0) // COLUMNS * COLUMNS)
    return words.view(COLUMNS, -1).t().contiguous()


torch.manual_seed(1111)
words = torch.cumsum(torch.randint(1, 4, (600,)), 0) % WORDS  # mostly foretellable
source = batchify(words)
models = {kind: Model(kind) for kind in ("LSTM", "GRU", "RNN")}
criterion = nn.NLLLoss()
hidden = dict.fromkeys(models)

for step in (run := Run(**models)):
    start = step % (len(source) // LENGTH - 1) * LENGTH
    data = source[start : start + LENGTH]
    target = source[start + 1 : start + 1 + LENGTH].view(-1)
    losses = []
    for kind, model in models.items():
        model.train()
        model.zero_grad()
        if step == run.steps:  # a checkpoint has no hidden states
            hidden[kind] = None
        if hidden[kind] is not None:
            hidden[kind] = detached(hidden[kind])
        output, hidden[kind] = model(data, hidden[kind])
        loss = criterion(output, target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(p.grad, alpha=-2.0)
        losses.append(loss.item())
    run.loss(*losses)
