"""`@serve`: what a method returns or raises is what the caller gets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from hearthbus import HandlerError, Invalid, Message, NoResponder, Service, serve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hearthbus.testing import Bench


class Desk(Service):
    """Answers in every way there is."""

    @serve("desk/+")
    async def answer(self, request: Message) -> Mapping[str, Any] | None:
        match request.topic:
            case "desk/map":
                return {"sum": request["a"] + request["b"]}
            case "desk/none":
                return None
            case "desk/value":
                raise ValueError("a is odd")
            case "desk/invalid":
                raise Invalid("b is even")
            case "desk/text":
                return "no mapping"  # type: ignore[return-value]  # what a beginner may write
        return {"never": 1 / 0}


async def test_a_mapping_is_the_answer(bench: Bench) -> None:
    """What the method returns is what the caller gets; None is an empty answer."""
    await bench.run(Desk)

    assert {"sum": 3} == await bench.request("desk/map", a=1, b=2)
    assert {} == await bench.request("desk/none")


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("desk/value", "a is odd"),
        ("desk/invalid", "b is even"),
        ("desk/map", "'a' is missing"),
        ("desk/zero", "ZeroDivisionError"),
    ],
)
async def test_an_exception_is_the_caller_s_error(bench: Bench, topic: str, text: str) -> None:
    """The caller learns what is wrong with the request, and of a defect only its kind."""
    desk = await bench.run(Desk)
    with pytest.raises(HandlerError) as caught:
        await bench.request(topic)

    assert text == str(caught.value)
    assert (0, 1) == (desk.counts.handled, desk.counts.errors)


async def test_only_a_defect_is_logged_with_its_trace(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """A bad request does not fill the log; a defect is there to be found."""
    await bench.run(Desk)
    for topic in ("desk/value", "desk/zero"):
        with pytest.raises(HandlerError):
            await bench.request(topic)

    assert ["answer failed on desk/zero (test_service_serve.py:"] == [
        record.getMessage()[:50] for record in caplog.records if record.levelno >= logging.WARNING
    ]


async def test_an_answer_that_is_no_mapping_fails_clearly(bench: Bench) -> None:
    """A text in place of a mapping is a defect of the service, told to the caller too."""
    await bench.run(Desk)

    with pytest.raises(HandlerError, match="answer returned str; a @serve method returns a mapping or None"):
        await bench.request("desk/text")


async def test_without_a_service_nobody_answers(bench: Bench) -> None:
    """A stopped service serves no more."""
    await bench.run(Desk)
    await bench.stop()

    with pytest.raises(NoResponder):
        await bench.request("desk/none")
