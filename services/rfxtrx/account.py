"""How a stick is and what it has done, as the bus says it. Pure: a session comes in, plain values go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drivers.rfxtrx.modes import spelled

if TYPE_CHECKING:
    from drivers.rfxtrx.session import Session
    from services.rfxtrx.handover import Handover


def how(session: Session, *, port: str, fault: str, by_request: bool) -> dict[str, Any]:
    """Return how it is: status (online or away), port, reason, receiver, firmware ...

    Args:
        session: the talk with it.
        port: where.
        fault: why it is not ready; empty where it is.
        by_request: whether a request has said which protocols are wanted, and not the configuration.
    """
    status, wanted = session.status, session.setup.wanted
    plain: dict[str, Any] = {"status": "away" if fault else "online", "port": port}
    if fault:
        plain["reason"] = fault
    if status is not None:
        plain |= {
            "receiver": status.receiver,
            "firmware": status.firmware,
            "firmware_type": status.firmware_kind,
            "hardware": status.hardware,
            "protocols": sorted(session.protocols),
        }
        if status.transmit_dbm is not None:
            plain["transmit_dbm"] = status.transmit_dbm
    if wanted is not None:
        plain["protocols_wanted"] = sorted(wanted if status is None else spelled(wanted, status.receiver))
        plain["protocols_wanted_by"] = "request" if by_request else "configuration"
    return plain


def figures(session: Session, handover: Handover) -> dict[str, int]:
    """Return what is counted since the service began."""
    tally = session.transmissions.tally
    return {
        "packets": handover.packets,
        "packets_broken": handover.broken,
        "packets_dropped": handover.dropped,
        "bytes_skipped": session.frames.garbage,
        "transmitted": tally.transmitted,
        "refused": tally.refused,
        "not_acknowledged": tally.timeouts,
        "answers_late": tally.answers_late,
        "resets": session.counts.resets,
        "starts_failed": session.setup.failures,
        "protocols_restored": session.counts.modes_restored,
    }
