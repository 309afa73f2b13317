"""What the programs here share: a training loop that is written down.

    for step in (run := Run(model=model, optimizer=optimizer)):
        ...
        run.loss(loss)

    python PROGRAM.py RECORD               trains, and writes the record
    python PROGRAM.py RECORD CHECKPOINT    goes on from the checkpoint in that record

The record has the states after init, the losses, and the states at a checkpoint that is
made MORE steps before the end. There the seed is set anew, so that the last losses of
whoever goes on from it are the same.
"""

import copy
import sys

import torch

MORE = 3


class Run:
    """Steps of a training; its parts are what has a state_dict."""

    def __init__(self, steps=50, **parts):
        self.steps, self.parts = steps, parts
        self.record = {"losses": [], "values": []}

    def states(self):
        """A copy of the state of every part."""
        return {n: copy.deepcopy(part.state_dict()) for n, part in self.parts.items()}

    def __iter__(self):
        path, *checkpoint = sys.argv[1:]
        first = self.steps if checkpoint else 0
        if checkpoint:
            saved = torch.load(checkpoint[0])["checkpoint"]
            for name, part in self.parts.items():
                part.load_state_dict(saved[name])
        else:
            self.record["init"] = self.states()
        for step in range(first, self.steps + MORE):
            if step == self.steps:
                self.record["checkpoint"] = self.states()
                torch.manual_seed(step)
            yield step
        self.record["random"] = torch.rand(4)  # has as much been drawn?
        torch.save(self.record, path)

    def loss(self, loss, *values):
        """Writes down the loss of a step, and other numbers of interest."""
        number = lambda x: x.item() if isinstance(x, torch.Tensor) else float(x)
        self.record["losses"].append(number(loss))
        self.record["values"].append([number(v) for v in values])
