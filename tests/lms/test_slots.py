"""Invariants of `programs.lms.slots`.

1. A slot is never taken twice at a time, and where all are taken there is none.
2. Of free slots the one that holds most of a prompt is taken; where none holds enough, the one idle for longest.
3. A saved state is given where it holds clearly more than any free slot; one that is being written over is given to nobody.
"""

from hypothesis import given
from hypothesis import strategies as st

from programs.lms.slots import MIN_SHARED_CHARS, STATES_PER_SLOT, Slot, Slots

PASSAGE, OTHER = "a" * 3 * MIN_SHARED_CHARS, "b" * 3 * MIN_SHARED_CHARS


def called(slots: Slots, prompt: str) -> Slot:
    """A call from its beginning to its end."""
    slot = slots.take(prompt)
    assert slot is not None
    slots.record_saved(slot, slots.oldest_state())
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
            slots.record_saved(taken[0], slots.oldest_state())
            slots.release(taken.pop(0))
        assert len({slot.number for slot in taken}) == len(taken)


def test_a_free_slot_that_holds_the_beginning_is_taken_as_it_is_and_calls_beside_it_are_given_its_state() -> None:
    slots = Slots(4)
    first, other = called(slots, PASSAGE), called(slots, OTHER)
    assert other.number != first.number
    one, *beside = [slots.take(f"{PASSAGE}{number}") for number in range(4)]
    assert one == Slot(first.number, None)
    given = [slot for slot in beside if slot]
    assert len({slot.number for slot in given}) == 3
    assert {slot.state for slot in given} == {0}


def test_a_state_that_is_written_over_is_given_to_nobody() -> None:
    slots = Slots(1)
    called(slots, PASSAGE)
    for number in range(STATES_PER_SLOT - 1):
        called(slots, f"{number}{OTHER}")
    assert slots.oldest_state() == 0
    slot = slots.take(PASSAGE)
    assert slot is not None
    assert slot.state is None
