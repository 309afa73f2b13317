"""What grad_fn is called beside PyTorch: programs, whose inputs are m, x, b, w, i."""

import warnings

import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")

LINES = """
m + 1; m + m; 1 - m; m - m; m * 2; m * m; m / 2; m / m; 2 / m; -m; m ** 2; m ** m; 2 ** m
m.abs(); m.exp(); m.log(); m.log1p(); m.log2(); m.sqrt(); m.rsqrt(); m.square(); m.sin()
m.tanh(); m.sigmoid(); m.relu(); m.erf(); m.reciprocal(); m.floor(); m.sign(); m.atan2(m)
m.clamp(0, 1); m.clamp(min=0); m.clamp(v.zeros(4)); v.maximum(m, m); v.where(m > 0, m, 0)
m % 2; m % m; m.fmod(m); m.lerp(m, 0.5); m.lerp(m, m); v.addcmul(m, m, m); m.trunc()
m.sum(); m.sum(0); m.sum((0, 1)); m.sum(-1, keepdim=True); m.mean(); m.mean(1); m.prod()
m.prod(0); m.std(); m.std(0); m.var(); m.norm(); m.norm(1); v.linalg.norm(m); m.logsumexp(0)
m.max(); m.max(0)[0]; m.max(0).values; m.min(); m.min(1)[0]; v.max(m, m); m.amax(0); m.median()
m.median(0)[0]; m.cumsum(0); m.cumprod(1); m.logcumsumexp(0); m.sort()[0]; m.topk(2)[0]
m.kthvalue(1)[0]; m.mode()[0]; m.nansum(); m.trace(); v.var_mean(m)[1]; m.softmax(-1)
m.log_softmax(-1); m.aminmax()[0]; m.dist(m * 2); m.cumsum(0).sum(); m.renorm(2, 0, 1)
m.view(-1); m.view(4, 3); m.reshape(12); m.t().reshape(12); m.t(); m.T; m.mT; m.flatten()
m.transpose(0, 1); m.permute(1, 0); m.squeeze(); m.squeeze(0); m.unsqueeze(0); m.expand(2, 3, 4)
m.repeat(2, 1); m.tile((2,)); m.clone(); m.t().contiguous(); m.double(); m.half(); m.flip(0)
m.roll(1, 0); m.rot90(); m.diagonal(); m.diag(); m[0].diag(); m.tril(); m.triu(); m.unfold(0, 2, 1)
m[0]; m[1:]; m[:, 0]; m[:, 1:]; m[None]; m[..., 0]; m[0, 0]; m[m > 0]; m[[0, 1]]; m[:, [1]]; m[:]; m[0, :]; m[:, :]; m[..., :]; m[:, None, :]; m[...]; m[1:, :]; m[None, 0]; m[0, ..., None]
m[v.tensor([0, 2])]; m[0:2, 1:3]; m[:, None]; m.select(0, 1); m.narrow(0, 0, 2); m.unbind()[0]
m.split(2)[0]; m.split([1, 2])[0]; m.chunk(2)[0]; v.cat([m, m]); v.stack([m, m]); v.hstack([m, m])
m.gather(0, i); m.index_select(0, i[0]); m.masked_fill(m > 0, 1); m.masked_select(m > 0)
m.scatter(0, i, 1.0); m.scatter(0, i, m); m.scatter_add(0, i, m); m.index_add(0, v.tensor([0]), m[:1])
m.take(v.tensor([1])); v.take_along_dim(m, i, 0); v.outer(m[0], m[0]); m.index_copy(0, v.tensor([0]), m[:1])
m @ m.T; m @ m[0]; m[0] @ m[0]; m[0] @ m.T; v.mm(m, m.T); v.mv(m, m[0]); v.dot(m[0], m[0])
v.bmm(b, b); b @ b; b @ b[0]; v.matmul(b, b[0, 0]); v.addmm(m, m, v.ones(4, 4)); v.baddbmm(b, b, b)
v.cdist(m, m); v.cross(m[:, :3], m[:, :3], dim=1); F.cosine_similarity(m, m)
v.linalg.inv(b); v.linalg.det(b); v.linalg.svd(m)[1]; v.linalg.qr(m)[0]; v.linalg.solve(b, b)
v.linalg.eigh(b)[0]; v.linalg.slogdet(b)[1]; v.linalg.cholesky(b.abs() + 9 * v.eye(3)); v.linalg.pinv(m)
F.linear(m, w, w[:, 0]); F.linear(m, w); F.linear(b, b[0], b[0, 0]); F.linear(b, b[0])
F.relu(m); F.gelu(m); F.gelu(m, approximate="tanh"); F.silu(m); F.elu(m); F.selu(m); F.leaky_relu(m)
F.softplus(m); F.hardtanh(m); F.relu6(m); F.mish(m); F.logsigmoid(m); F.hardswish(m); F.celu(m); F.glu(m)
F.prelu(m, v.ones(1)); F.softsign(m); F.tanhshrink(m); F.hardsigmoid(m); F.rrelu(m, training=True)
F.dropout(m); F.softmax(m, 1); F.normalize(m); F.one_hot(i, 3) * m.sum(); F.embedding(i, m); F.pad(m, (1, 1))
F.embedding_bag(i, m); F.layer_norm(m, (4,)); F.group_norm(x, 3); F.batch_norm(x, None, None, training=True)
F.batch_norm(x, v.zeros(3), v.ones(3)); F.instance_norm(x); F.rms_norm(m, (4,)); F.local_response_norm(x, 2)
F.conv2d(x, v.ones(2, 3, 3, 3)); F.conv1d(b, v.ones(1, 3, 1)); F.conv_transpose2d(x, v.ones(3, 2, 2, 2))
F.max_pool2d(x, 2); F.avg_pool2d(x, 2); F.adaptive_avg_pool2d(x, 1); F.adaptive_avg_pool2d(x, 3)
F.adaptive_max_pool2d(x, 3); F.max_pool1d(b, 2); F.avg_pool1d(b, 2); F.max_pool2d(x[0], 2); F.unfold(x, 2)
F.interpolate(x, scale_factor=2); F.interpolate(x, scale_factor=2, mode="bilinear"); F.pixel_shuffle(b[None, :1].expand(1, 4, 3, 3), 2)
F.interpolate(x, scale_factor=2, mode="bicubic"); F.pad(x, (1, 1, 1, 1), "reflect"); F.pad(x, (1, 1, 1, 1), "replicate")
F.grid_sample(x, v.zeros(2, 4, 4, 2), align_corners=False); F.fold(x.reshape(2, 12, 16), (5, 5), 2)
F.mse_loss(m, m * 2); F.l1_loss(m, m * 2); F.smooth_l1_loss(m, m * 2); F.huber_loss(m, m * 2)
F.mse_loss(m, m * 2, reduction="sum"); F.mse_loss(m, m * 2, reduction="none"); F.kl_div(m, m * 2)
F.cross_entropy(m, i[:, 0]); F.cross_entropy(m, m.softmax(1)); F.cross_entropy(x, v.zeros(2, 8, 8).long())
F.nll_loss(m, i[:, 0]); F.nll_loss(m, i[:, 0], reduction="sum"); F.cross_entropy(m, i[:, 0], reduction="none")
F.cross_entropy(m, i[:, 0], label_smoothing=0.1); F.cross_entropy(m, i[:, 0], v.ones(4))
F.binary_cross_entropy(m.sigmoid(), v.ones(3, 4)); F.binary_cross_entropy_with_logits(m, v.ones(3, 4))
F.cosine_embedding_loss(m, m, v.ones(3)); F.margin_ranking_loss(m, m, v.ones(3, 4)); F.triplet_margin_loss(m, m, m)
F.poisson_nll_loss(m, m); F.gaussian_nll_loss(m, m, v.ones(3, 4)); F.soft_margin_loss(m, v.ones(3, 4))
F.hinge_embedding_loss(m, v.ones(3, 4)); F.multi_margin_loss(m, i[:, 0]); F.pairwise_distance(m, m)
F.scaled_dot_product_attention(x, x, x); F.gumbel_softmax(m); F.multilabel_soft_margin_loss(m, v.ones(3, 4))
v.poisson(m); v.normal(m, m); v.normal(m, 2.0); v.normal(1.0, m); v.normal(m); v.bernoulli(m.sigmoid()); changed(m, "add_", 1); changed(m, "mul_", m); changed(m, "relu_")
changed(m, "zero_"); changed(m, "fill_", 2); changed(m, "copy_", m); changed(m, "clamp_", 0, 1); changed(m, "sub_", 1)
changed(m, "div_", 2); changed(m, "exp_"); changed(m, "normal_"); changed(m, "uniform_"); changed(m, "exponential_")
changed(m, "geometric_", 0.5); changed(m, "cauchy_"); changed(m, "log_normal_"); changed(m, "masked_fill_", m > 0, 0)
changed(m, "__setitem__", 0, 1.0); changed(m, "__setitem__", m > 0, 1.0); changed(m, "pow_", 2)
v.nn.Linear(4, 2)(m); v.nn.Embedding(3, 2)(i); v.nn.LayerNorm(4)(m); v.nn.Sequential(v.nn.Linear(4, 2), v.nn.ReLU())(m)
v.nn.Conv2d(3, 2, 3)(x); v.nn.BatchNorm2d(3)(x); v.nn.MaxPool2d(2)(x); v.nn.Flatten()(x); v.nn.CrossEntropyLoss()(m, i[:, 0])
v.nn.TransformerEncoderLayer(4, 2, 8)(m[None]); v.nn.Softmax(1)(m); v.nn.Bilinear(4, 4, 2)(m, m)
v.nn.LSTM(3, 2)(b)[0]; v.nn.LSTM(3, 2)(b)[1][0]; v.nn.LSTM(3, 2, bidirectional=True)(b)[0]; v.nn.GRU(3, 2)(b)[0]
v.nn.RNN(3, 2)(b)[0]; v.nn.LSTM(3, 2, batch_first=True)(b)[0]; v.nn.LSTMCell(3, 2)(b[0])[0]; v.nn.GRUCell(3, 2)(b[0])
v.nn.RNNCell(3, 2)(b[0]); v.nn.MultiheadAttention(4, 2)(m, m, m)[0]; m.repeat_interleave(2, 0); F.adaptive_avg_pool1d(b, 1)
v.special.xlog1py(m, m); v.special.entr(m); v.logaddexp(m, m); v.hypot(m, m); m.polygamma(1); m.mvlgamma(1)
"""  # noqa: E501
PROGRAMS = [p.strip() for line in LINES.split("\n") for p in line.split("; ") if p]


def changed(x, method, *args):
    """A product that is then changed in place."""
    y = x * 1
    getattr(y, method)(*args)
    return y


def name(v, program, after_backward=False):
    v.manual_seed(0)
    base = v.arange(12.0).reshape(3, 4) + 1
    scope = {
        "v": v,
        "F": v.nn.functional,
        "changed": changed,
        "m": base.clone().requires_grad_(),
        "w": v.ones(4, 4),
        "x": v.rand(2, 3, 8, 8).requires_grad_(),
        "b": (v.rand(3, 3, 3) + v.eye(3)).requires_grad_(),
        "i": v.zeros(3, 4).long(),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = eval(program, scope)
        if after_backward:
            out.sum().backward()
    return repr(out).rsplit("grad_fn=", 1)[1].strip(")")


@pytest.mark.parametrize("program", PROGRAMS)
def test_name(program):
    assert name(veem, program) == name(torch, program)
    freed = name(veem, program, after_backward=True)
    assert freed == name(torch, program)  # printed after what it saved is gone
