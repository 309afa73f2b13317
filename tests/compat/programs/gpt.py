"""A small GPT on characters: causal attention, tied weights, AdamW in two groups."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from record import Run

WIDTH, HEADS, LAYERS, CONTEXT = 32, 4, 2, 16
TEXT = "the quick brown fox jumps over the lazy dog and runs away into the wood. " * 8


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.dropout = nn.Dropout(0.1)
        self.flash = hasattr(F, "scaled_dot_product_attention")
        mask = torch.tril(torch.ones(CONTEXT, CONTEXT))
        self.register_buffer("mask", mask.view(1, 1, CONTEXT, CONTEXT))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(x).split(C, dim=2)
        q, k, v = (y.view(B, T, HEADS, C // HEADS).transpose(1, 2) for y in (q, k, v))
        scores = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        scores = scores.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        y = self.dropout(F.softmax(scores, dim=-1)) @ v
        if self.flash and not self.training:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.dropout(self.proj(y))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.mlp = nn.ModuleDict(
            dict(up=nn.Linear(WIDTH, 4 * WIDTH), down=nn.Linear(4 * WIDTH, WIDTH))
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp.down(F.gelu(self.mlp.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, vocabulary, bias=False)
        self.tokens.weight = self.head.weight
        self.apply(self.start)
        for name, p in self.named_parameters():
            if name.endswith("proj.weight"):
                nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * LAYERS))

    def start(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            torch.nn.init.zeros_(module.bias)

    def forward(self, tokens, targets=None):
        places = torch.arange(tokens.size(1), dtype=torch.long, device=tokens.device)
        x = self.tokens(tokens) + self.places(places)
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        if targets is None:
            return logits[:, [-1], :], None
        loss = F.cross_entropy(
            logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1
        )
        return logits, loss

    @torch.no_grad()
    def generate(self, tokens, count, temperature=1.0, top_k=5):
        for _ in range(count):
            logits, _ = self(tokens[:, -CONTEXT:])
            logits = logits[:, -1, :] / temperature
            v, _ = torch.topk(logits, min(top_k, logits.size(-1)))
            logits[logits < v[:, [-1]]] = -float("Inf")
            probs = F.softmax(logits, dim=-1)
            tokens = torch.cat((tokens, torch.multinomial(probs, num_samples=1)), dim=1)
        return tokens


letters = sorted(set(TEXT))
data = torch.tensor([letters.index(c) for c in TEXT], dtype=torch.long)

torch.manual_seed(1337)
model = GPT(len(letters))
decay = [p for p in model.parameters() if p.dim() >= 2]
others = [p for p in model.parameters() if p.dim() < 2]
groups = [
    {"params": decay, "weight_decay": 0.1},
    {"params": others, "weight_decay": 0.0},
]
optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95))


def batch():
    ix = torch.randint(len(data) - CONTEXT, (8,))
    x = torch.stack([data[i : i + CONTEXT] for i in ix])
    y = torch.stack([data[i + 1 : i + 1 + CONTEXT] for i in ix])
    return x, y


for step in (run := Run(model=model, optimizer=optimizer)):
    lr = 1e-3 * min(1.0, (step + 1) / 10)
    for group in optimizer.param_groups:
        group["lr"] = lr
    _, loss = model(*batch())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    run.loss(loss, norm)

model.eval()
words = model.generate(torch.zeros((1, 1), dtype=torch.long), 20)[0].tolist()
print("".join(letters[i] for i in words))
