"""The host's half of the talk with a gateway, against the simulated half: in simulated time, hundreds of packets."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.rf12 import hearth
from drivers.rf12.values import Heard
from services.jeenode.parcels import Fate, HearthSender, Parcel, StockSender
from services.jeenode.talk import Talk
from services.jeenode.twin.house import House

if TYPE_CHECKING:
    from services.jeenode.twin.board import Board

STEP_S = 0.005


class Line:
    """A talk and a house on one serial line, which a test can make as bad as it likes."""

    def __init__(self, *, seed: int = 1, stock: bool = False, loss: float = 0.0, line_loss: float = 0.0) -> None:
        self.chance = Random(seed)
        self.house = House(inhabited=False, seed=seed, stock=stock, loss=loss)
        self.talk = Talk(Random(seed), group=212)
        self.line_loss = line_loss
        self.now = 0.0
        self.heard: list[Heard] = []
        self.board.boot()
        self.talk.opened(at=0.0)

    @property
    def board(self) -> Board:
        """The gateway."""
        return self.house.board

    def run(self, seconds: float) -> None:
        """Let time pass; lines in both directions get lost."""
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            self.talk.tick(at=self.now)
            if (said := self.talk.take()) and self.chance.random() >= self.line_loss:
                self.board.write(said)
            self.house.run(self.now)
            for line in self.board.read().splitlines(keepends=True):
                if self.chance.random() >= self.line_loss:
                    self.heard += [v for v in self.talk.feed(line, at=self.now) if isinstance(v, Heard)]

    def until_ready(self) -> None:
        """Greet."""
        for _ in range(100):
            if self.talk.ready:
                return
            self.run(0.5)
        raise AssertionError("the talk never began")

    def light(self, number: int, *, node: int = 2) -> Parcel:
        """Hand over a colour that tells which packet it was."""
        light = hearth.Light(
            sender=30, sequence=number & 0xFF, effect=0, red=number & 0xFF, green=number >> 8, blue=0, brightness=255,
            fade_s=0.0,
        )  # fmt: skip
        parcel = Parcel(light.encode(), node)
        self.talk.offer(parcel, at=self.now)
        return parcel

    def shown(self, place: str = "kitchen") -> list[int]:
        """Return the numbers a light has acted on."""
        return [order.red | order.green << 8 for order in self.house.leds[place].orders]

    def boot_nodes(self) -> None:
        """Give the nodes power."""
        for node in self.house.nodes.values():
            node.on = True


@pytest.mark.parametrize("stock", [False, True])
def test_every_packet_arrives_once_or_is_reported(stock: bool) -> None:  # noqa: FBT001 - a parameter
    """300 commands at a third of all packets lost: what was acked was acted on once, what was not is known."""
    line = Line(stock=stock, loss=0.35, seed=11)
    line.boot_nodes()
    line.until_ready()
    fates = {}
    for number in range(300):
        parcel = line.light(number)
        while parcel.outcome is None:
            line.run(0.05)
        fates[number] = parcel.outcome.fate
    acked = [number for number, fate in fates.items() if fate is Fate.ACKED]
    shown = line.shown()

    assert stock != line.talk.hearth
    assert len(shown) == len(set(shown))
    assert set(acked) <= set(shown)
    assert {Fate.ACKED, Fate.NOT_ACKED} >= set(fates.values())
    assert len(acked) > 280


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.2]))
def test_a_bad_serial_line_makes_no_command_twice(seed: int, line_loss: float) -> None:
    """Lines lost in both directions: still nothing is acted on twice in a row, and every packet has its end."""
    line = Line(seed=seed, loss=0.1, line_loss=line_loss)
    line.boot_nodes()
    line.until_ready()
    parcels = []
    for number in range(12):
        parcels.append(line.light(number))
        line.run(0.3)
    line.run(60)
    shown = line.shown()

    assert all(parcel.outcome is not None for parcel in parcels)
    assert all(one != other for one, other in pairwise(shown))


def test_four_are_handed_over_and_the_rest_waits() -> None:
    """The gateway's queue is never overrun; all arrive, in their order."""
    line = Line()
    line.boot_nodes()
    line.until_ready()
    parcels = [line.light(number) for number in range(20)]
    line.run(5)

    assert [Fate.ACKED] * 20 == [parcel.outcome.fate for parcel in parcels if parcel.outcome]
    assert list(range(20)) == line.shown()


def test_a_reset_ends_what_was_under_way_and_begins_anew() -> None:
    """The banner says so; hearth mode is asked for again by itself."""
    line = Line()
    line.until_ready()
    parcels = [line.light(number, node=9) for number in range(6)]
    line.run(0.2)
    line.board.boot()
    line.run(0.5)

    assert [Fate.AWAY] * 6 == [parcel.outcome.fate for parcel in parcels if parcel.outcome]
    assert (True, True, 1) == (line.talk.ready, line.talk.hearth, line.talk.counts.resets)


def test_a_gateway_that_was_in_hearth_mode_before_is_taken_over() -> None:
    """Behind ser2net nothing is reset when we come: checked lines are enough, and its group is asked."""
    line = Line()
    line.until_ready()
    line.talk = Talk(Random(1), group=0)
    line.talk.opened(at=line.now)
    line.board.say("! radio restarted silent")
    line.run(0.1)

    assert (True, True) == (line.talk.ready, line.talk.hearth)
    assert (212, 30) == (line.talk.group, line.talk.node)


@pytest.mark.parametrize("stock", [False, True])
@pytest.mark.parametrize("collect", [False, True])
def test_a_gateway_is_told_whether_to_ack(stock: bool, collect: bool) -> None:  # noqa: FBT001 - a table
    """Of two in a group one must not; the setting is told once, before anything else, and kept by the gateway."""
    line = Line(stock=stock)
    line.board.collect = not collect
    line.talk = Talk(Random(1), group=0, collect=collect)
    line.talk.opened(at=0.0)
    line.until_ready()

    assert (collect, stock) == (line.board.collect, not line.talk.hearth)


def test_a_gateway_that_says_nothing_is_asked() -> None:
    """Without a banner it is asked for its version after two seconds, and again."""
    line = Line()
    line.run(0.2)
    line.talk = Talk(Random(1), group=0)
    line.talk.opened(at=line.now)
    line.run(1.9)

    assert not line.talk.ready

    line.run(0.5)

    assert (True, 212, 30) == (line.talk.ready, line.talk.group, line.talk.node)


def test_a_mode_that_was_lost_without_a_word_is_asked_for_again() -> None:
    """Reset, and the banner lost: lines without checks give it away."""
    line = Line()
    line.boot_nodes()
    line.until_ready()
    line.board.boot()
    line.house.run(line.now + 0.2)
    line.board.read()
    for _ in range(4):
        line.board.say("OK 5 1 2 3")
    line.run(0.5)

    assert (True, 1) == (line.talk.hearth, line.talk.counts.resets)


def test_a_command_the_line_has_garbled_is_handed_over_again() -> None:
    """`BAD check`, and a command that got lost on its way: the same packet under another tag, three times at most."""
    sender = HearthSender(queue=4)
    parcel = Parcel(b"\x51\x1e\x00", 2)
    sender.offer(parcel, at=0.0)
    commands = [bytes(sender.out)]
    for at in (1.0, 2.0, 3.0):
        sender.out.clear()
        sender.tick(at=at)
        commands.append(bytes(sender.out))

    assert parcel.outcome is not None
    assert (Fate.AWAY, b"") == (parcel.outcome.fate, commands.pop())
    assert 3 == len({command for command in commands if command.startswith(b"81,30,0,2,")})


def test_an_empty_ack_of_a_stock_node_counts() -> None:
    """A classic ack has no payload; one of ours must name the number."""
    line = Line(stock=True)
    line.until_ready()
    parcel = Parcel(b"\x01", 17)
    line.talk.offer(parcel, at=line.now)
    line.run(0.05)
    line.talk.feed(b"OK 145\r\n", at=line.now)

    assert parcel.outcome is not None
    assert Fate.ACKED is parcel.outcome.fate


def test_nothing_waits_for_a_gateway_that_has_gone() -> None:
    """Both ways of sending end what they hold."""
    for sender in (HearthSender(queue=1), StockSender(Random(1))):
        parcels = [Parcel(b"abc", 2) for _ in range(3)]
        for parcel in parcels:
            sender.offer(parcel, at=0.0)
        sender.abandon("unplugged")

        assert [(Fate.AWAY, "unplugged")] * 3 == [(p.outcome.fate, p.outcome.reason) for p in parcels if p.outcome]
        assert None is sender.due()


@given(st.lists(st.binary(max_size=40), max_size=20), st.booleans())
def test_any_bytes_are_survived(chunks: list[bytes], ready: bool) -> None:  # noqa: FBT001
    """No noise breaks the talk; afterwards it can still greet."""
    line = Line()
    if ready:
        line.until_ready()
    for chunk in chunks:
        line.talk.feed(chunk, at=line.now)
        line.run(STEP_S)
    line.board.boot()
    line.run(1.0)
    line.until_ready()

    assert line.talk.hearth


@pytest.mark.parametrize("stock", [False, True])
def test_a_gateway_that_stops_answering_is_noticed_in_a_quiet_house(stock: bool) -> None:  # noqa: FBT001 - a parameter
    """After a minute of silence it is asked; after three questions without answer it is not ready, until it speaks."""
    line = Line(stock=stock)
    line.until_ready()
    line.run(300)
    quiet = (line.talk.ready, line.talk.counts.resets)
    line.line_loss = 1.0
    line.run(80)
    hung = (line.talk.ready, line.talk.silent)
    line.line_loss = 0.0
    line.run(10)

    assert (True, 0) == quiet
    assert (False, True) == hung
    assert line.talk.ready
    assert not line.talk.silent
    assert stock != line.talk.hearth


@pytest.mark.parametrize("stock", [False, True])
def test_a_gateway_that_takes_no_packet_is_noticed_at_once(stock: bool) -> None:  # noqa: FBT001 - a parameter
    """Three handings of a packet, and not a word: what waits is told so, and later packets are not given to it."""
    line = Line(stock=stock)
    line.boot_nodes()
    line.until_ready()
    line.run(2)
    line.line_loss = 1.0
    parcel = line.light(1)
    line.run(4)
    later = line.light(2)
    line.line_loss = 0.0
    line.run(6)
    last = line.light(3)
    line.run(1)

    assert [Fate.AWAY, Fate.AWAY, Fate.ACKED] == [each.outcome and each.outcome.fate for each in (parcel, later, last)]
