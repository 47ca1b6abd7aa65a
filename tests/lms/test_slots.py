"""Invariants of `programs.lms.slots`.

1. No slot is held by two calls at once; if all are held, a call gets none.
2. A call takes the free slot that holds most of its prompt or, if none holds enough, the least recently used one.
3. A call is given a saved state if that holds clearly more than any free slot, but never one that could not be saved.
"""

from hypothesis import given
from hypothesis import strategies as st

from programs.lms.slots import MIN_SHARED_CHARS, Slot, Slots

PASSAGE, OTHER = "a" * 3 * MIN_SHARED_CHARS, "b" * 3 * MIN_SHARED_CHARS


def make_call(slots: Slots, prompt: str) -> Slot:
    slot = slots.take(prompt)
    assert slot is not None
    slots.record_state(slot, saved=True)
    slots.release(slot)
    return slot


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.sampled_from([PASSAGE, OTHER, "", "x"])), max_size=30))
def test_no_slot_is_taken_twice(count: int, plan: list[tuple[bool, str]]) -> None:
    slots, taken = Slots(count), list[Slot]()
    for takes, prompt in plan:
        if takes:
            slot = slots.take(prompt)
            assert (slot is None) == (len(taken) == count)
            taken += [slot] if slot else []
        elif taken:
            slots.record_state(taken[0], saved=True)
            slots.release(taken.pop(0))
        assert len({slot.number for slot in taken}) == len(taken)


def test_the_slot_that_holds_the_prefix_is_taken_and_concurrent_calls_get_its_saved_state() -> None:
    slots = Slots(4)
    first, other = make_call(slots, PASSAGE), make_call(slots, OTHER)
    assert other.number != first.number
    taken, *concurrent = [slots.take(f"{PASSAGE}{number}") for number in range(4)]
    assert taken == Slot(first.number, None)
    others = [slot for slot in concurrent if slot]
    assert len({slot.number for slot in others}) == 3
    assert {slot.source for slot in others} == {first.number}


def test_a_state_that_could_not_be_saved_is_not_given_to_a_call() -> None:
    slots = Slots(2)
    first = make_call(slots, PASSAGE)
    again = slots.take(PASSAGE)
    assert again == Slot(first.number, None)
    slots.record_state(again, saved=False)
    other = slots.take(PASSAGE)
    assert other is not None
    assert other.source is None
