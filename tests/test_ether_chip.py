"""The simulated processor against its data sheet, on a probe of its own: what plain simavr has otherwise."""

from __future__ import annotations

from ether import ether

CYCLES = {
    "spi": (64, 90),  # 8 bits at 2 MHz, and the loop around them; simavr: 1600
    "eeprom": (54_400, 54_800),  # 3.4 ms; simavr: none
    "uart": (2_700, 2_900),  # ten bits of 280; simavr: eleven
    "idle": (1_800_000, 2_200_000),  # 2048 periods of 128 kHz times 8
    "power-down": (0, 2048),  # the timer stands still; simavr: as in idle
}
"""What the probe measures, ATmega328P data sheet chapters 19, 8.4, 20, 10 and 11."""


async def test_the_parts_of_the_processor_take_their_time() -> None:
    """SPI, EEPROM and serial line are as fast, and the timers asleep as deep, as the data sheet says."""
    async with ether() as house:
        await house.node("probe", "probe", radio="none")
        await house.said("probe", "power-down")
        words = [line.split() for line in house.lines("probe")]
        measured = {name: int(count) for name, *counts in words for count in counts if name in CYCLES}

        assert CYCLES.keys() == measured.keys()
        assert {} == {
            name: count for name, count in measured.items() if not CYCLES[name][0] <= count <= CYCLES[name][1]
        }


async def test_a_watchdog_that_only_interrupts_does_so_again() -> None:
    """Without WDE the watchdog's interrupt stays enabled; 2048 of its 128 kHz periods pass between two."""
    async with ether() as house:
        await house.node("probe", "probe", radio="none")
        await house.said("probe", "power-down")
        began = house.events[-1].ms
        await house.said("probe", "barks 3")

        assert 48 < house.events[-1].ms - began < 55


async def test_a_low_line_interrupts_until_it_is_high() -> None:
    """A level-triggered INT0 comes again for as long as the pin is low."""
    async with ether() as house:
        await house.node("probe", "probe", radio="none", on=False)
        await house.pin("probe", "PD2", 1)
        await house.power("probe", on=True)
        await house.said("probe", "barks")
        await house.run(10)
        assert not [line for line in house.lines("probe") if line.startswith("edges")]
        await house.pin("probe", "PD2", 0)

        assert "edges 3" == await house.said("probe", "edges")


async def test_duty_is_what_the_timers_put_out() -> None:
    """Fast PWM counts one more than its compare value; inverted and wide channels are read as they are."""
    async with ether() as house:
        await house.node("probe", "probe", radio="none", on=False)
        await house.pin("probe", "PD2", 0)
        await house.power("probe", on=True)
        await house.said("probe", "pwm")
        red, green, blue = await house.duty("probe", over_ms=10)

        assert (128 / 256, 256 / 1024, 1 - 64 / 256) == (red, green, blue)
