"""A small GPT: reads a text character by character, then writes on by itself.

    python examples/gpt.py                     Shakespeare, from the folder VEEM_DATA
    python examples/gpt.py book.txt --steps 3000

A transformer as in GPT-2 (Radford et al. 2019), some 600,000 parameters small.
"""

import argparse
import os
from pathlib import Path

import veem
from veem import nn, optim
from veem.nn import functional as F

try:
    from tqdm import tqdm
except ImportError:  # pip install veem[examples]

    def tqdm(steps, **_):
        return steps


# ---- the model ----------------------------------------------------------------------


class Attention(nn.Module):
    """Every position gathers from those before it what it asks for."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, time, width = x.shape
        # (batch, time, 3 width) -> three of (batch, heads, time, width / heads)
        parts = self.qkv(x).view(batch, time, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, time, width))


class Block(nn.Module):
    """Looks around (attention), then thinks (two layers); each adds to what was."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.think(self.norm2(x))


class GPT(nn.Module):
    """Characters (batch, time) to scores for the one that follows each."""

    def __init__(self, characters, context, width, heads, layers):
        super().__init__()
        self.context = context
        self.character = nn.Embedding(characters, width)
        self.position = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.scores = nn.Linear(width, characters)
        for parameter in (self.character.weight, self.position.weight):
            nn.init.normal_(parameter, std=0.02)

    def forward(self, ids):
        where = veem.arange(ids.shape[1], device=ids.device)
        x = self.character(ids) + self.position(where)
        return self.scores(self.norm(self.blocks(x)))

    @veem.no_grad()
    def write(self, ids, count, temperature=0.8):
        """Draws `count` more characters, one after the other."""
        for _ in range(count):
            scores = self(ids[:, -self.context :])[:, -1]
            following = veem.multinomial(F.softmax(scores / temperature, -1), 1)
            ids = veem.cat([ids, following], 1)
        return ids


# ---- text ---------------------------------------------------------------------------


class Alphabet:
    """The characters of a text, numbered."""

    def __init__(self, text):
        self.characters = sorted(set(text))
        self.number = {c: i for i, c in enumerate(self.characters)}

    def encode(self, text):
        return veem.tensor([self.number[c] for c in text], dtype=veem.int64)

    def decode(self, ids):
        return "".join(self.characters[i] for i in ids)


def find_text(path):
    if path is None and os.environ.get("VEEM_DATA"):
        path = Path(os.environ["VEEM_DATA"]) / "text" / "tinyshakespeare.txt"
    if path is None or not Path(path).is_file():
        raise SystemExit(
            f"no text at {path}: give the path of a text file, or set VEEM_DATA to a "
            "folder with text/tinyshakespeare.txt"
        )
    return Path(path).read_text(encoding="utf-8")


def batch_of(ids, size, context):
    """Random pieces of the text, and the same one character further on."""
    starts = veem.randint(len(ids) - context, (size, 1))
    pieces = starts + veem.arange(context)
    return ids[pieces], ids[pieces + 1]


def loss_of(model, inputs, targets):
    scores = model(inputs)
    return F.cross_entropy(scores.flatten(0, 1), targets.flatten())


@veem.no_grad()
def validate(model, ids, args, batches=10):
    losses = [
        loss_of(model, *batch_of(ids, args.batch_size, args.context)).item()
        for _ in range(batches)
    ]
    return sum(losses) / batches


# ---- learning -----------------------------------------------------------------------


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    p.add_argument("text", nargs="?", help="default: VEEM_DATA's tinyshakespeare.txt")
    p.add_argument("--steps", type=int, default=1000)
    p.add_argument("--batch-size", type=int, default=16)
    p.add_argument("--context", type=int, default=64, help="characters seen at once")
    p.add_argument("--width", type=int, default=128)
    p.add_argument("--heads", type=int, default=4)
    p.add_argument("--layers", type=int, default=3)
    p.add_argument("--lr", type=float, default=2e-3, help="the highest learning rate")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="cpu")
    p.add_argument("--sample", type=int, default=400, help="characters to write")
    return p.parse_args(argv)


def main(argv=None):
    args = parse(argv)
    text = find_text(args.text)
    alphabet = Alphabet(text)
    ids = alphabet.encode(text).to(args.device)
    split = int(0.9 * len(ids))
    train, held_out = ids[:split], ids[split:]

    veem.manual_seed(args.seed)
    size = (args.context, args.width, args.heads, args.layers)
    model = GPT(len(alphabet.characters), *size).to(args.device)
    count = sum(p.numel() for p in model.parameters())
    print(f"{len(text):,} characters, {count:,} parameters")
    optimizer = optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.1)
    scheduler = optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=args.lr, total_steps=args.steps, pct_start=0.1
    )
    for step in tqdm(range(1, args.steps + 1), leave=False):
        loss = loss_of(model, *batch_of(train, args.batch_size, args.context))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        if step % max(args.steps // 5, 1) == 0:
            held = validate(model, held_out, args)
            print(f"step {step}  loss {loss.item():.3f}  held-out text {held:.3f}")
    start = alphabet.encode(text[:1]).to(args.device).view(1, 1)
    written = alphabet.decode(model.write(start, args.sample)[0].tolist())
    print(f"\n{written}")
    return written


if __name__ == "__main__":
    main()
