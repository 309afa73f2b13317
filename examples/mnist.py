"""Learns to read handwritten digits, and shows which ones it cannot read.

    python examples/mnist.py                   two layers: 97 % in seconds
    python examples/mnist.py --model cnn       convolutions: 98.5 %
    python examples/mnist.py --resume          goes on from the last finished epoch

Writes a checkpoint after each epoch and, at the end, a picture, into runs/mnist.
"""

import argparse
import time
from pathlib import Path

import veem
from veem import datasets, nn, optim
from veem.nn import functional as F
from veem.utils.data import DataLoader, TensorDataset

try:
    from tqdm import tqdm
except ImportError:  # pip install veem[examples]

    def tqdm(steps, **_):
        return steps


# ---- the models ---------------------------------------------------------------------


class MLP(nn.Module):
    """Every pixel is connected with every one of 256 hidden units, those with 10."""

    def __init__(self, side, hidden=256):
        super().__init__()
        self.hidden = nn.Linear(side * side, hidden)
        self.out = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.out(F.relu(self.hidden(x.flatten(1))))


class CNN(nn.Module):
    """Small filters that slide over the image, then over what they have found."""

    def __init__(self, side):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5, padding=2)
        self.dropout = nn.Dropout(0.3)
        self.out = nn.Linear(32 * (side // 4) ** 2, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # side / 2
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # side / 4
        return self.out(self.dropout(x.flatten(1)))


MODELS = {"mlp": MLP, "cnn": CNN}
EPOCHS = {"mlp": 8, "cnn": 4}


# ---- learning -----------------------------------------------------------------------


def load(name):
    """The training and the test set."""
    if name is None:
        return datasets.handwriting()
    if name == "digits":
        return datasets.Digits(train=True), datasets.Digits(train=False)
    return [datasets.MNIST(train=part, download=True) for part in (True, False)]


def train_epoch(model, loader, optimizer, scheduler, label):
    """One pass over the training images; returns the mean loss."""
    model.train()
    total = 0.0
    for images, labels in tqdm(loader, desc=label, leave=False):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(images)
    return total / len(loader.dataset)


@veem.no_grad()
def predict(model, images, batch_size=1000):
    """The digit that the model sees in each image."""
    model.eval()
    return veem.cat([model(part).argmax(1) for part in images.split(batch_size)])


def fit(args, model, train, test, checkpoint):
    """Trains for args.epochs; returns one dict of numbers for each epoch."""
    loader = DataLoader(TensorDataset(*train), args.batch_size, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    # The rate rises for a third of the time and falls for the rest.
    scheduler = optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=args.lr, epochs=args.epochs, steps_per_epoch=len(loader)
    )
    keep = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    history = restore(args, keep, checkpoint) if args.resume else []
    for epoch in range(len(history) + 1, args.epochs + 1):
        start = time.perf_counter()
        label = f"epoch {epoch}/{args.epochs}"
        loss = train_epoch(model, loader, optimizer, scheduler, label)
        right = (predict(model, test[0]) == test[1]).float().mean().item()
        history.append({"loss": loss, "accuracy": right})
        seconds = time.perf_counter() - start
        print(f"{label}  loss {loss:.4f}  test {right:.2%}  {seconds:.1f} s")
        save(args, keep, history, checkpoint)
    return history


def streams(args):
    """What random numbers come from: the CPU chooses batches, the device drops out."""
    return [veem, veem.metal] if args.device.startswith("metal") else [veem]


def save(args, keep, history, path):
    """All that the rest of the run depends on, the random streams included."""
    state = {name: part.state_dict() for name, part in keep.items()}
    random = [stream.get_rng_state() for stream in streams(args)]
    state.update(history=history, plan=plan(args), random=random)
    veem.save(state, path)


def restore(args, keep, path):
    state = veem.load(path)
    if state["plan"] != plan(args):
        raise SystemExit(f"{path} is of another run: {state['plan']}, not {plan(args)}")
    for name, part in keep.items():
        part.load_state_dict(state[name])
    for stream, random in zip(streams(args), state["random"]):
        stream.set_rng_state(random)
    return state["history"]


def plan(args):
    return {k: getattr(args, k) for k in ("model", "epochs", "batch_size", "lr")}


# ---- the picture --------------------------------------------------------------------


def draw(history, images, labels, seen, path):
    """The curves, and the first digits that were misread."""
    try:
        import matplotlib
    except ImportError:
        return print("no picture: matplotlib is missing (pip install veem[examples])")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    wrong = [i for i in range(len(labels)) if labels[i] != seen[i]][:32]
    figure = plt.figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axes = left.subplots(2, 1, sharex=True)
    for axis, name in zip(axes, history[0]):
        axis.plot(range(1, len(history) + 1), [h[name] for h in history], "o-")
        axis.set_ylabel(name)
    axes[-1].set_xlabel("epoch")
    right.suptitle("misread: what it is, what was seen")
    for axis in (grid := right.subplots(4, 8)).flat:
        axis.set_axis_off()
    for axis, i in zip(grid.flat, wrong):
        axis.imshow(images[i].numpy(), cmap="gray_r")
        axis.set_title(f"{labels[i]}, {seen[i]}", fontsize=8)
    figure.savefig(path, dpi=120)
    print(f"curves and misread digits: {path}")


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    p.add_argument("--model", choices=MODELS, default="mlp")
    p.add_argument("--epochs", type=int, help="8 for the mlp, 4 for the cnn")
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--lr", type=float, default=3e-3, help="the highest learning rate")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="cpu")
    p.add_argument("--data", choices=["mnist", "digits"], help="default: mnist if had")
    p.add_argument("--out", type=Path, default=Path("runs/mnist"))
    p.add_argument("--resume", action="store_true", help="from the last checkpoint")
    args = p.parse_args(argv)
    args.epochs = args.epochs or EPOCHS[args.model]
    return args


def main(argv=None):
    args = parse(argv)
    sets = load(args.data)
    print(*sets, sep="\n")
    train, test = ([t.to(args.device) for t in s.tensors()] for s in sets)

    veem.manual_seed(args.seed)
    model = MODELS[args.model](side=train[0].shape[-1]).to(args.device)
    print(
        f"{args.model} with {sum(p.numel() for p in model.parameters()):,} parameters"
    )
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / f"{args.model}.pt"
    history = fit(args, model, train, test, checkpoint)
    print(f"checkpoint: {checkpoint}")
    seen = predict(model, test[0]).tolist()
    picture = args.out / f"{args.model}.png"
    draw(history, sets[1].data, sets[1].targets.tolist(), seen, picture)
    return history


if __name__ == "__main__":
    main()
