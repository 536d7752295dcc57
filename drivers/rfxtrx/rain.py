"""Rain gauges: type 0x55. Knows their packets, and how much fell between two; no bus, no stick, no clock.

Some gauges send all the rain since their battery came in, others a count of tips that begins again at zero. What a tip
is in mm belongs to the gauge: a Davis comes with a cartridge of 0.2 mm or of 0.01 inch.

Sources: scales as pyRFXtrx, node-rfxcom and Domoticz have them. The counter of a La Crosse TX5 has 4 bits for one and 8
for another: read here as 4, which is right in both cases while fewer than 16 tips go unheard.
"""

from fractions import Fraction
from typing import Annotated, Final, NamedTuple

from drivers.bits import Bits, CodecError, Reason
from drivers.fields import CENTI, DECI
from drivers.rfxtrx.kinds import Absent, Battery, Id16, Rssi, Spare, Spare4, Spare16
from drivers.rfxtrx.packet import NO_SIGNAL, Packet, Variant


class Tip(NamedTuple):
    """A counter that begins again: what one count is, and how many there are."""

    mm: Fraction
    counts: int


TIPS: Final = {
    0x06: Tip(Fraction(266, 1000), 16),
    0x08: Tip(Fraction(2, 10), 256),
    0x09: Tip(Fraction(254, 1000), 65536),
    0x0A: Tip(Fraction(1, 10), 65536),
}
"""By subtype."""
INCH_CARTRIDGE: Final = 0.254
"""mm of a tip of a Davis for countries that measure in inches."""


class Rain(Packet, kind=0x55, name="rain"):
    """Rain gauge that sends all there was.

    0B 55 ss nn  ii ii  rr rr  mm mm mm  sb      i id · r rate now · m 0.1 mm in all · s signal · b battery
    """

    id: Id16
    mm_per_hour: Annotated[float | None, Bits(width=16)] = None
    mm: Annotated[float, Bits(width=24, scale=DECI)]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x01, "RAIN1", "RGR126/682/918/928"),
        Variant(0x02, "RAIN2", "PCR800", fields={"mm_per_hour": Bits(width=16, scale=CENTI)}),
        Variant(0x03, "RAIN3", "TFA", fields={"mm_per_hour": Absent(width=16)}),
        Variant(0x04, "RAIN4", "UPM RG700", fields={"mm_per_hour": Absent(width=16)}),
        Variant(0x05, "RAIN5", "La Crosse WS2300", fields={"mm_per_hour": Absent(width=16)}),
        Variant(0x07, "RAIN7", "Alecto", fields={"mm_per_hour": Absent(width=16)}),
    )


class RainTx5(Packet, kind=0x55, name="rain"):
    """La Crosse TX5: counts to 15.

    0B 55 06 nn  ii ii  .. ..  .. ..  .c  sb      i id · c tips of 0.266 mm · s signal · b battery
    """

    id: Id16
    spare_rate: Spare16 = 0
    spare_total: Spare16 = 0
    spare_count: Spare4 = 0
    counter_mm: Annotated[float, Bits(width=4, scale=TIPS[6].mm)]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x06, "RAIN6", "La Crosse TX5"),)


class RainDavis(Packet, kind=0x55, name="rain"):
    """Davis: counts to 255.

    0B 55 08 nn  ii ii  .. ..  .. ..  cc  sb      i id · c tips of 0.2 mm · s signal · b battery
    """

    id: Id16
    spare_rate: Spare16 = 0
    spare_total: Spare16 = 0
    counter_mm: Annotated[float, Bits(width=8, scale=TIPS[8].mm)]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (Variant(0x08, "RAIN8", "Davis"),)


class RainCount(Packet, kind=0x55, name="rain"):
    """Gauges that count to 65535.

    0B 55 ss nn  ii ii  .. ..  ..  cc cc  sb      i id · c tips of 0.254 or 0.1 mm · s signal · b battery
    """

    id: Id16
    spare_rate: Spare16 = 0
    spare_total: Annotated[int, Spare(width=8)] = 0
    counter_mm: Annotated[float, Bits(width=16, scale=TIPS[9].mm)]
    rssi_dbm: Rssi = NO_SIGNAL
    battery_level: Battery = 0

    variants = (
        Variant(0x09, "RAIN9", "TFA 30.3233.01"),
        Variant(0x0A, "RAIN10", "Ecowitt WH40, WH5360", fields={"counter_mm": Bits(width=16, scale=TIPS[10].mm)}),
    )


Gauge = Rain | RainTx5 | RainDavis | RainCount
PACKETS: Final = (Rain, RainTx5, RainDavis, RainCount)


def fallen(before: Gauge, now: Gauge, *, mm_per_count: float | None = None) -> float:
    """Return the mm that fell between two packets of one gauge.

    A total that is less than before, or a counter that would have gone more than half way round, is a gauge with a new
    battery: nothing fell that it could tell of. A counter of 16 goes round too often to be judged so.

    Args:
        before: The earlier packet.
        now: The later packet.
        mm_per_count: What a tip is, where it is not what such gauges have as a rule; for gauges that count.

    Raises:
        CodecError: the packets are of different subtypes.
    """
    if before.subtype != now.subtype:
        raise CodecError(Reason.KIND, f"rain: subtypes {before.subtype} and {now.subtype} are not one gauge")
    tip = TIPS.get(now.subtype)
    if tip is None:
        return max(0.0, round(_told(now) - _told(before), 1))
    tips = (round(Fraction(_told(now)) / tip.mm) - round(Fraction(_told(before)) / tip.mm)) % tip.counts
    if tips > tip.counts // 2 and tip.counts > 16:
        return 0.0
    return float(tips * (tip.mm if mm_per_count is None else Fraction(repr(mm_per_count))))


def _told(gauge: Gauge) -> float:
    return gauge.mm if isinstance(gauge, Rain) else gauge.counter_mm
