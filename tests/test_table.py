"""The tables agree: every native op has a rule, or says that it has no gradient."""

from opinfo import all_rows

import veem

OPS = vars(veem._core.ops)


def test_every_op_states_its_gradient():
    silent = [name for name, op in OPS.items() if op.rules is None and op.plain is None]
    assert not silent, f"without rule or not_differentiable: {silent}"


def test_every_row_of_ops_def_has_an_opinfo_row():
    rows = {r.name for r in all_rows()}
    missing = [name for name, *_ in veem._core.op_rows() if name not in rows | {"copy"}]
    assert not missing, f"without a row in tests/opinfo: {missing}"
