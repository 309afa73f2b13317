"""Functions of one's own: a polynomial, a straight-through sign, a bilinear form."""

import torch
from record import Run
from torch.autograd import Function, Variable, gradcheck


class LegendrePolynomial3(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class StraightThrough(torch.autograd.Function):
    """sign forward; backward as if it were the identity, where |x| <= 1."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_non_differentiable()
        ctx.save_for_backward(x)
        return x.sign()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (x.abs() <= 1).type_as(g)


class Form(torch.autograd.Function):
    """x A y for rows x and y."""

    @staticmethod
    def forward(ctx, x, A, y):
        ctx.save_for_backward(x, A, y)
        ctx.scale = 1.0
        return ((x @ A) * y).sum(1)

    @staticmethod
    def backward(ctx, g):
        x, A, y = ctx.saved_tensors
        gx = gA = gy = None
        g = g.unsqueeze(1) * ctx.scale
        if ctx.needs_input_grad[0]:
            gx = g * (y @ A.t())
        if ctx.needs_input_grad[1]:
            gA = (g * x).t().mm(y)
        if ctx.needs_input_grad[2]:
            gy = g * (x @ A)
        return gx, gA, gy


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        full = lambda value: torch.nn.Parameter(torch.full((), value))
        self.a, self.b, self.c, self.d = map(full, (0.0, -1.0, 0.0, 0.3))
        self.A = torch.nn.Parameter(torch.randn(3, 4))
        self.hidden = torch.nn.Linear(2, 3)

    def forward(self, t, x, y):
        P3 = LegendrePolynomial3.apply
        curve = self.a + self.b * P3(self.c + self.d * t)
        form = Form.apply(StraightThrough.apply(self.hidden(x)), self.A, y)
        return curve, form


torch.manual_seed(4)
double = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
assert gradcheck(Form.apply, (double, double, double))
assert gradcheck(LegendrePolynomial3.apply, double)

model = Model()
norms = []
handle = model.hidden.weight.register_hook(lambda g: norms.append(g.norm()) or g * 0.5)
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
for step in (run := Run(model=model, optimizer=optimizer)):
    t = Variable(torch.linspace(-3.0, 3.3, 50))
    x, y = torch.randn(16, 2), torch.randn(16, 4)
    curve, form = model(t, x, y)
    loss = (curve - t.sin()).pow(2).mean() + (form - x.sum(1) * y[:, 0]).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    run.loss(loss, norms.pop())
handle.remove()
