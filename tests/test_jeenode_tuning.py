"""Settings over the air: what a request becomes, what each ack means, and what a node may have staged meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rf12.hearth import BANDS, LIMITS, AckCode, Key, Settings
from hearthbus import Invalid
from services.jeenode.parcels import Fate, Outcome
from services.jeenode.tuning import FIELDS, ROUNDS, STAGED_S, Fared, Order, Tuning, order, restored, shown

FACTORY = Settings(node=5, group=212, band=8, report_s=300, hold_s=60, offset=1600)
ALL = {"id": 6, "group": 100, "band": 433, "report_s": 20, "hold_s": 5, "offset": 1650}
MINUTE = {"report_s": 60}
LOST = Outcome(fate=Fate.NOT_ACKED, tries=8)
VALUES = st.fixed_dictionaries(
    {name: st.sampled_from(list(BANDS) if name == "band" else LIMITS[of_block]) for name, of_block in FIELDS.items()}
)


def asked(
    request: dict[str, Any], *, check: int | None = FACTORY.check, committed: dict[str, Any] | None = None
) -> Order:
    """Return the order for node 5 of group 212."""
    return order(request, group=212, node=5, check=check, committed=committed or {})


def acked(code: int = AckCode.DONE) -> Outcome:
    """Return what a node's ack makes of a packet."""
    return Outcome(fate=Fate.ACKED, tries=1, ack=bytes([0xF1, 5, 9, code]))


def test_every_setting_can_be_named() -> None:
    """The limits, the wire's keys and the names of a request are the same six."""
    assert set(LIMITS) == set(FIELDS.values()) == {key.name.lower() for key in Key}


def test_a_node_of_the_factory_is_told_what_changes() -> None:
    """Its check shows what the other settings are."""
    wanted = asked(MINUTE)

    assert Order(Settings(**{**vars(FACTORY), "report_s": 60}), frozenset({"report_s"})) == wanted


def test_the_band_of_the_flasher_is_known_too() -> None:
    """`hearthbus flash --band 433` leaves all else as the factory has it."""
    flashed = Settings(**{**vars(FACTORY), "band": 4})

    assert flashed.hold_s == asked(MINUTE, check=flashed.check).wanted.hold_s
    assert 4 == asked(MINUTE, check=flashed.check).wanted.band


@given(VALUES)
def test_what_was_committed_is_the_base_of_the_next(values: dict[str, int]) -> None:
    """As long as the node announces its check; what the state says of it can be read back."""
    block = asked(values, check=None).wanted
    next_ = order(MINUTE, group=block.group, node=block.node, check=block.check, committed=shown(block))

    assert values == shown(block)
    assert {**values, **MINUTE} == shown(next_.wanted)
    assert {"committed": values} == restored({"committed": shown(block)})


@pytest.mark.parametrize(
    ("check", "words"), [(None, "it has not announced its settings"), (1, "its settings are none this service gave it")]
)
def test_of_an_unknown_block_all_keys_must_be_named(check: int | None, words: str) -> None:
    """The text says why, and which are missing; with all of them it is taken, and all are sent."""
    few = {name: value for name, value in ALL.items() if name not in {"band", "offset"}}
    with pytest.raises(Invalid, match=f"{words}, so name all of id, .*: band, offset are missing"):
        asked(few, check=check)

    assert frozenset(FIELDS.values()) == asked(ALL, check=check).changed


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"id": 0}, "id is 0; write a whole number from 1 to 30"),
        ({"group": 213}, "from 1 to 212"),
        ({"band": 8}, "band is 8; write one of 433, 868, 915"),
        ({"report_s": 0}, "from 1 to 65535"),
        ({"report_s": 60.0}, "whole number"),
        ({"hold_s": True}, "whole number"),
        ({"offset": 95}, "from 96 to 3903"),
        ({"id": 31, "hold_s": -1}, "id is 31.*; hold_s is -1"),
        ({"hold": 1}, "'hold' is no setting of a node; there are id, group"),
        ({}, "nothing to set; name at least one of id"),
    ],
)
def test_what_the_node_would_not_take_is_not_sent(request_: dict[str, Any], words: str) -> None:
    """The text names the key, the value and what would be right."""
    with pytest.raises(Invalid, match=words):
        asked(request_)


def test_a_round_sets_what_changes_and_commits_the_whole_block() -> None:
    """The check is that of the block with the change in it."""
    one = Tuning()
    wanted = asked({"report_s": 60, "band": 868, "id": 7})
    one.ask(wanted)
    flown = one.begin(at=0.0)

    assert flown is not None
    assert (((Key.NODE, 7), (Key.REPORT_S, 60)), wanted.wanted.check) == (flown.sets, flown.check)
    assert one.land(flown, flown.judge([acked(), acked()], acked())).fared is Fared.DONE
    assert None is one.begin(at=1.0)


@pytest.mark.parametrize(
    ("outcomes", "commit", "words"),
    [
        ([acked(), acked(AckCode.BAD_VALUE)], None, "band = 433: the node says bad value"),
        ([acked(AckCode.UNKNOWN), acked()], None, "id = 7: the node says unknown"),
        ([acked(), acked()], acked(AckCode.NOT_COMMITTED), "nothing is changed; name all of id, group, band"),
        ([acked(), acked()], acked(AckCode.BAD_VALUE), "the commit: the node says bad value"),
    ],
)
def test_a_refusal_names_the_key_and_ends_it(outcomes: list[Outcome], commit: Outcome | None, words: str) -> None:
    """To say it again would be no use."""
    one = Tuning()
    one.ask(asked({"id": 7, "band": 433}))
    flown = one.begin(at=0.0)
    assert flown is not None
    verdict = one.land(flown, flown.judge(outcomes, commit))

    assert (Fared.REFUSED, True) == (verdict.fared, verdict.over)
    assert words in verdict.reason
    assert (outcomes == [acked()] * 2) == flown.all_set(outcomes)
    assert None is one.order


def test_what_nobody_acks_is_tried_again_and_given_up() -> None:
    """A node that sleeps hears a few packets at each report; after some it is said to have failed."""
    one = Tuning()
    one.ask(asked(MINUTE))
    verdicts = []
    for at in range(ROUNDS):
        flown = one.begin(at=300.0 * at)
        assert flown is not None
        verdicts.append(one.land(flown, flown.judge([LOST], None)))

    assert [(Fared.LOST, at == ROUNDS - 1) for at in range(ROUNDS)] == [(each.fared, each.over) for each in verdicts]
    assert "report_s = 60: not acked after 8 tries" == verdicts[-1].reason
    assert None is one.begin(at=9999.0)


def test_a_newer_order_has_all_its_tries() -> None:
    """However often the one before it was tried."""
    one = Tuning()
    overs = []
    for _ in range(ROUNDS):
        one.ask(asked(MINUTE))
        flown = one.begin(at=0.0)
        assert flown is not None
        overs.append(one.land(flown, flown.judge([LOST], None)).over)

    assert [False] * ROUNDS == overs


def test_a_node_that_always_listens_is_tried_once() -> None:
    """Who asked waits for the answer."""
    one = Tuning()
    one.ask(asked(MINUTE))
    flown = one.begin(at=0.0)
    assert flown is not None

    assert one.land(flown, flown.judge([LOST], None), last=True).over


@pytest.mark.parametrize(("after", "sets"), [(1.0, {"HOLD_S", "REPORT_S"}), (STAGED_S, {"HOLD_S"})])
def test_what_an_attempt_has_left_staged_is_put_right(after: float, sets: set[str]) -> None:
    """A newer order does not mean what the older one had begun to set; the node forgets it by itself in the end."""
    one = Tuning()
    one.ask(asked(MINUTE))
    flown = one.begin(at=0.0)
    assert flown is not None
    one.land(flown, flown.judge([acked()], LOST))
    one.ask(asked({"hold_s": 5}))
    flown = one.begin(at=after)
    assert flown is not None

    assert sets == {key.name for key, _ in flown.sets}
    assert (300, 5) == (flown.order.wanted.report_s, flown.order.wanted.hold_s)


@pytest.mark.parametrize("given_up", [False, True])
def test_an_announcement_confirms_a_commit_whose_ack_was_lost(*, given_up: bool) -> None:
    """By the node's new id, and the check of what it was to become; even when it was given up."""
    one = Tuning()
    wanted = asked({"id": 7})
    one.ask(wanted)
    flown = one.begin(at=0.0)
    assert flown is not None
    one.land(flown, flown.judge([acked()], LOST), last=given_up)
    check = wanted.wanted.check

    assert None is one.announced(group=212, node=5, check=check)
    assert None is one.announced(group=212, node=7, check=FACTORY.check)
    assert wanted is one.announced(group=212, node=7, check=check)
    assert (None, None) == (one.order, one.announced(group=212, node=7, check=check))


def test_an_announcement_while_the_commit_flies_is_the_last_word() -> None:
    """The ack that does not come afterwards takes nothing back."""
    one = Tuning()
    wanted = asked(MINUTE)
    one.ask(wanted)
    flown = one.begin(at=0.0)
    assert flown is not None
    one.announced(group=212, node=5, check=wanted.wanted.check)

    assert Fared.DONE is one.land(flown, flown.judge([acked()], LOST)).fared


def test_an_empty_ack_is_one() -> None:
    """It says that the packet came."""
    one = Tuning()
    one.ask(asked(MINUTE))
    flown = one.begin(at=0.0)
    assert flown is not None
    empty = Outcome(fate=Fate.ACKED, tries=1)

    assert Fared.DONE is flown.judge([empty], empty).fared


@pytest.mark.parametrize(
    ("body", "facts"),
    [
        ({"settings": "pending"}, {"settings": "failed", "settings_reason": "the service was started anew; ask again"}),
        ({"settings": "done", "settings_crc": 7}, {"settings": "done", "settings_crc": 7}),
        ({"settings": "failed", "settings_reason": "why"}, {"settings": "failed", "settings_reason": "why"}),
        ({"settings": "maybe", "settings_crc": "7", "committed": {"id": 7}}, {}),
        ({"committed": ALL | {"band": 8}}, {}),
        ({"committed": ALL}, {"committed": ALL}),
    ],
)  # fmt: skip
def test_what_an_earlier_run_has_left(body: dict[str, Any], facts: dict[str, Any]) -> None:
    """What waited is forgotten, and said; what makes no sense is left out."""
    assert facts == restored(body)
