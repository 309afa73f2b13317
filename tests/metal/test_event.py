"""Events: in order with the work, and never before it. No times asserted."""

import pytest

import veem

pytestmark = pytest.mark.skipif(
    not veem.metal.is_available(), reason="veem is built without Metal"
)


def test_events_stand_in_order_with_the_work():
    first, second, third = (veem.metal.Event(enable_timing=True) for _ in range(3))
    x = veem.ones(1000).to("metal")
    first.record()
    y = x + x
    second.record()
    third.record()  # with nothing to do before it
    second.synchronize()
    assert first.query() and second.query() and y.sum().item() == 2000
    assert 0 <= first.elapsed_time(second) <= first.elapsed_time(third)
    assert first.elapsed_time(second) == -second.elapsed_time(first)


def test_an_event_can_be_recorded_again():
    start, end = (veem.metal.Event(enable_timing=True) for _ in range(2))
    for event in (start, end, start):
        event.record()
    assert start.elapsed_time(end) <= 0
    for _ in range(200):  # more than may be in flight
        end.record()
    assert start.elapsed_time(end) >= 0


def test_what_was_not_recorded_has_no_time():
    timed, plain = veem.metal.Event(enable_timing=True), veem.metal.Event()
    assert timed.query()
    timed.synchronize()
    with pytest.raises(RuntimeError, match="was not recorded"):
        timed.elapsed_time(timed)
    with pytest.raises(RuntimeError, match="enable_timing=True"):
        timed.elapsed_time(plain)


def test_a_fault_is_raised_at_the_event_behind_it():
    table, index = veem.ones(4, 2).to("metal"), veem.tensor([9]).to("metal")
    event = veem.metal.Event()
    _result = table[index]
    event.record()
    with pytest.raises(IndexError, match="9"):
        event.synchronize()
    veem.metal.synchronize()


def test_the_gpu_time_grows_with_the_work():
    veem.metal.synchronize()
    before = veem._core.metal.gpu_seconds()
    x = veem.ones(1000).to("metal")
    (x + x).sum().item()
    assert veem._core.metal.gpu_seconds() > before
