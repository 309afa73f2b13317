"""nn.Transformer turns sequences round; so does a GRU with packed sequences."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from record import Run
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

WORDS, WIDTH, START = 12, 16, 1


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH, padding_idx=0)
        self.transformer = nn.Transformer(
            WIDTH, 2, 1, 1, dim_feedforward=32, dropout=0.0, batch_first=True
        )
        self.out = nn.Linear(WIDTH, WORDS)

    def forward(self, source, target):
        later = self.transformer.generate_square_subsequent_mask(target.size(1))
        padding = source == 0
        h = self.transformer(
            self.words(source) * WIDTH**0.5,
            self.words(target) * WIDTH**0.5,
            tgt_mask=later,
            src_key_padding_mask=padding,
            memory_key_padding_mask=padding,
        )
        return self.out(h)


class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH, padding_idx=0)
        self.encoder = nn.GRU(WIDTH, WIDTH, batch_first=True, bidirectional=True)
        self.decoder = nn.GRUCell(WIDTH, 2 * WIDTH)
        self.attention = nn.MultiheadAttention(2 * WIDTH, 2, batch_first=True)
        self.out = nn.Linear(4 * WIDTH, WORDS)

    def forward(self, source, target):
        lengths = (source != 0).sum(1)
        packed = pack_padded_sequence(
            self.words(source), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        memory, last = self.encoder(packed)
        memory, _ = pad_packed_sequence(memory, batch_first=True)
        h = last.transpose(0, 1).flatten(1)
        logits = []
        for word in target.unbind(1):
            h = self.decoder(self.words(word), h)
            context, weights = self.attention(
                h[:, None], memory, memory, key_padding_mask=source == 0
            )
            logits.append(self.out(torch.cat((h, context.squeeze(1)), dim=-1)))
        return torch.stack(logits, dim=1)


torch.manual_seed(17)
models = {"transformer": Seq2Seq(), "attentive": Attentive()}
optimizer = torch.optim.Adam(
    [p for model in models.values() for p in model.parameters()], lr=2e-3
)
for step in (run := Run(optimizer=optimizer, **models)):
    lengths = torch.randint(3, 7, (8,)).tolist()
    lengths[0] = 6
    rows = [torch.randint(2, WORDS, (n,)) for n in lengths]
    source = pad_sequence(rows, batch_first=True)
    goal = pad_sequence([row.flip(0) for row in rows], batch_first=True)
    target = torch.cat((torch.full((8, 1), START), goal[:, :-1]), dim=1)
    losses = []
    for model in models.values():
        logits = model(source, target)
        losses.append(F.cross_entropy(logits.transpose(1, 2), goal, ignore_index=0))
    optimizer.zero_grad()
    sum(losses).backward()
    optimizer.step()
    run.loss(sum(losses), *losses)
