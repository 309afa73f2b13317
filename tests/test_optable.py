"""python -m veem ops: the record of all ops agrees with the tables and the tests."""

from opinfo import all_rows

import veem
from veem import optable
from veem.__main__ import main

RECORD = {op.name: op for op in optable.record()}
STATED = {name: op for name, op in RECORD.items() if op.kernels != "?"}
ROWS = [row for row in all_rows() if row.name in STATED]


def test_every_op_is_in_the_record():
    native = vars(veem._core.ops)
    twins = {n for n, o in native.items() if o.kind == "inplace" and n[:-1] in native}
    assert set(RECORD) == set(native) - twins


def test_the_record_says_on_which_dtypes_the_tests_run():
    for row in ROWS:
        op = RECORD[row.name]
        takes = {t.name for t in optable.dtypes(op.takes)}
        if op.kernels == "elementwise":  # others are converted to these
            takes |= (
                {t.name for t in optable.dtypes("any")}
                if op.takes == "float"
                else set()
            )
        assert set(row.dtypes) <= takes, row.name


def test_what_has_a_second_derivative_in_the_tests_has_one_in_the_record():
    for row in ROWS:
        op = RECORD[row.name]
        assert bool(op.gradients) >= (row.order >= 1), row.name
        assert op.double >= (row.order >= 2), row.name


def test_every_kernel_of_the_record_is_on_every_device():
    for op in STATED.values():
        assert optable.devices(op) == veem._core.devices(), op


def test_gradients_are_read_off_the_rules():
    assert RECORD["mul"].gradients == {"a": "g * b", "b": "g * a"}
    assert RECORD["sin"].gradients == {"x": "g * cos(x)"}
    assert RECORD["floor"].gradients == {"x": "0"}
    assert RECORD["eq"].gradients == {}
    assert not RECORD["eq"].double
    assert RECORD["tanh_backward"].gradients == {"all": "g * (1 - out * out)"}


def test_command_prints_every_op(capsys):
    assert main(["ops"]) == 0
    out = capsys.readouterr().out
    first = {line.split()[0] for line in out.splitlines() if line}
    assert set(RECORD) <= first
    assert "huber_loss" in out
    assert "float64" in out
