"""Notify as a service: who asks learns what became of it, target by target, and none waits for another."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from mail_server import mailbox
from phone_calls import ntfy
from phone_server import phone

from hearthbus import HandlerError, NoResponder
from services.notify import Notify, lane

if TYPE_CHECKING:
    from mail_server import Mailbox

    from hearthbus.testing import Bench


def mail(box: Mailbox, **more: Any) -> dict[str, Any]:
    """The table of a target at a mail server."""
    house = {"kind": "email", "host": "127.0.0.1", "port": box.port, "tls": "none", "sender": "house@home.test"}
    return {**house, "to": ["me@home.test"], **more}


async def failure(bench: Bench, topic: str, /, **body: Any) -> str:
    """Ask for what is not delivered, and return what is said."""
    with pytest.raises(HandlerError) as caught:
        await bench.request(topic, **body)
    return str(caught.value)


async def test_who_asks_learns_that_it_was_delivered(bench: Bench) -> None:
    """With the target's name; the count is on its health."""
    async with mailbox() as box:
        service = await bench.run(Notify, targets={"mail": mail(box)})

        assert {"delivered": True, "target": "mail"} == await bench.request("notify/mail", message="hi")
    assert 1 == service.health()["targets"]["mail"]["delivered"]
    assert 1 == service.health()["handled"]


async def test_who_asks_learns_that_it_was_not(bench: Bench) -> None:
    """Why is in the answer, and on the service's health until one is delivered."""
    async with mailbox() as box:
        service = await bench.run(Notify, targets={"mail": mail(box)})
        box.replies["RCPT"] = ["550 no such user"]
        said = await failure(bench, "notify/mail", message="hi")

        assert said.startswith("mail: 127.0.0.1:")
        assert said.endswith("refuses me@home.test: 550 no such user")
        assert said == service.trouble
        await bench.request("notify/mail", message="hi")
    assert "" == service.trouble
    assert 1 == service.health()["targets"]["mail"]["failed"]


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"mesage": "x"}, {"message": "x", "priority": "loud"}])
async def test_a_wrong_message_is_refused(bench: Bench, body: dict[str, Any]) -> None:
    """Nothing is sent, and the caller learns why."""
    async with mailbox() as box:
        await bench.run(Notify, targets={"mail": mail(box)})
        await failure(bench, "notify/mail", **body)

    assert [] == box.mails


async def test_only_its_own_names_are_served(bench: Bench) -> None:
    """A chime of another service may be `notify/door`."""
    async with mailbox() as box:
        await bench.run(Notify, targets={"mail": mail(box)})

        with pytest.raises(NoResponder):
            await bench.request("notify/door", message="hi")


async def test_a_group_s_answer_lists_each(bench: Bench) -> None:
    """Those who have it, and those who have not and why."""
    async with mailbox() as box, phone() as server:
        server.replies += [403]
        await bench.run(Notify, targets={"mail": mail(box), "phone": ntfy(server)}, groups={"all": ["mail", "phone"]})
        answer = await bench.request("notify/all", message="hi")

    assert False is answer["delivered"]
    assert {"delivered": True} == answer["targets"]["mail"]
    assert "phone: 127.0.0.1" in answer["targets"]["phone"]["error"]
    assert 1 == len(box.mails)


async def test_a_group_of_which_nobody_has_it_is_an_error(bench: Bench) -> None:
    """Who does not look at the answer learns it all the same."""
    async with mailbox() as box, phone() as server:
        server.replies += [403]
        box.replies["RCPT"] = ["550 no"]
        await bench.run(Notify, targets={"mail": mail(box), "phone": ntfy(server)}, groups={"all": ["mail", "phone"]})
        said = await failure(bench, "notify/all", message="hi")

    assert "mail: " in said
    assert "phone: " in said


async def test_the_old_spelling_is_taken_on_any_topic(bench: Bench) -> None:
    """`notify/send` reads who is meant from the body; elsewhere the topic has said it."""
    async with mailbox() as box, phone() as server:
        await bench.run(Notify, targets={"mail": mail(box), "phone": ntfy(server)})
        old: dict[str, Any] = {"subject": "Door", "content": "open"}
        await bench.request("notify/phone", **old)
        await bench.request("notify/send", **old)
        await bench.request("notify/send", **old, action="push")
        answer = await bench.request("notify/send", **old, action="email", targets=["you@home.test", "mail"])

    assert [["me@home.test"], ["you@home.test"], ["me@home.test"]] == box.recipients
    assert ["Door"] * 3 == [each["Subject"] for each in box.mails]
    assert ["open"] * 2 == [call.json["message"] for call in server.calls]
    assert {"you@home.test", "mail"} == set(answer["targets"])


async def test_above_its_rate_none_is_sent_and_it_is_told(bench: Bench) -> None:
    """Counted, and when the next may go; an urgent one goes."""
    async with mailbox() as box:
        service = await bench.run(Notify, targets={"mail": mail(box, per_hour=2)})
        for _ in range(2):
            await bench.request("notify/mail", message="hi")
        said = await failure(bench, "notify/mail", message="hi", priority="high")
        await bench.request("notify/mail", message="fire", priority="urgent")
        await bench.advance(3600)
        await bench.request("notify/mail", message="hi")

    assert "mail: more than 2 messages an hour; the next in 1800 s: not sent, it is not sent later" == said
    assert (4, 1) == tuple(service.health()["targets"]["mail"][name] for name in ("delivered", "limited"))
    assert "" == service.trouble


async def test_in_quiet_hours_none_is_sent_and_it_is_told(bench: Bench) -> None:
    """Counted, and until when; an urgent one goes. The bench's clock begins at 12:00 UTC, 13:00 in Berlin."""
    async with mailbox() as box:
        service = await bench.run(Notify, targets={"mail": mail(box, quiet="13:00-14:00")}, timezone="Europe/Berlin")
        said = await failure(bench, "notify/mail", message="hi", priority="high")
        await bench.request("notify/mail", message="fire", priority="urgent")
        await bench.advance(3600)
        await bench.request("notify/mail", message="hi")

    assert "mail: quiet hours until 14:00: not sent, it is not sent later" == said
    assert (2, 1) == tuple(service.health()["targets"]["mail"][name] for name in ("delivered", "quiet"))


async def test_a_server_that_is_away_uses_no_rate_up(bench: Bench) -> None:
    """The first message after it is delivered."""
    async with mailbox() as box:
        await bench.run(Notify, targets={"mail": mail(box, per_hour=1)})
        box.replies["MAIL"] = ["451 later"] * 2
        await failure(bench, "notify/mail", message="hi", timeout=1.0)
        box.replies.clear()

        assert {"delivered": True, "target": "mail"} == await bench.request("notify/mail", message="hi")


async def test_a_target_that_hangs_delays_no_other(bench: Bench) -> None:
    """Nor does its queue grow: beyond 20 it says so at once, and each learns within his time that it was not sent."""
    async with mailbox() as box, phone() as server:
        box.replies["MAIL"] = [None] * 99
        service = await bench.run(Notify, targets={"mail": mail(box), "phone": ntfy(server)})
        await bench.request("notify/phone", message="first")  # loads its plugin
        hanging = [
            asyncio.create_task(failure(bench, "notify/mail", message=str(number), timeout=1.0))
            for number in range(lane.WAITING + 5)
        ]
        await asyncio.wait_for(box.stalled.wait(), 5)
        begun = time.monotonic()
        await bench.bus.request("notify/phone", message="hi")
        took = time.monotonic() - begun
        said = await asyncio.wait_for(asyncio.gather(*hanging), 10)

    sys.stdout.write(f"\n{took * 1000:.0f} ms for one beside a target that hangs\n")
    assert took < 0.5
    assert 5 == sum("20 messages wait for it already" in each for each in said)
    assert all("it is not sent later" in each for each in said)
    assert [] == box.mails
    assert 0 == service.health()["targets"]["mail"]["waiting"]


@pytest.mark.parametrize(
    ("stage", "said"), [("MAIL", "the service stops: not sent, it is not sent later"), ("DATA", "it may arrive")]
)
async def test_who_is_stopped_while_it_sends_says_how_far_it_came(bench: Bench, stage: str, said: str) -> None:
    """The callers do not wait for nothing: who waited for his turn knows that nothing was sent, a group's each."""
    async with mailbox() as box:
        box.replies[stage] = [None]
        await bench.run(Notify, targets={"mail": mail(box)}, groups={"all": ["mail"]})
        asked = [asyncio.create_task(failure(bench, "notify/mail", message="hi"))]
        await asyncio.wait_for(box.stalled.wait(), 5)
        asked += [asyncio.create_task(failure(bench, topic, message="hi")) for topic in ("notify/mail", "notify/all")]
        await bench.settle()
        await bench.stop()
        first, *others = await asyncio.wait_for(asyncio.gather(*asked), 5)

    assert said in first
    assert ["mail: the service stops: not sent, it is not sent later"] * 2 == others


async def test_a_message_on_its_way_when_the_service_stops_is_delivered(bench: Bench) -> None:
    """A restart loses none that its server is about to take."""
    async with mailbox() as box:
        box.replies["DATA"] = [None]
        await bench.run(Notify, targets={"mail": mail(box)})
        asked = asyncio.create_task(bench.request("notify/mail", message="hi"))
        await asyncio.wait_for(box.stalled.wait(), 5)
        stopping = asyncio.create_task(bench.stop())
        await asyncio.sleep(0)
        box.go_on.set()
        await asyncio.wait_for(stopping, 5)

        assert {"delivered": True, "target": "mail"} == await asked
    assert 1 == len(box.mails)


async def test_a_flood_is_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What the house holds back itself fills no log; the count is on its health, and the next flood is told anew."""
    async with mailbox() as box:
        service = await bench.run(Notify, targets={"mail": mail(box, per_hour=1)})
        for _ in range(2):
            await bench.request("notify/mail", message="hi")
            for _ in range(3):
                await failure(bench, "notify/mail", message="hi")
            await bench.advance(3600)

    assert 2 == caplog.text.count("more than 1 messages an hour")
    assert 6 == service.health()["targets"]["mail"]["limited"]
