"""Taking a new configuration and new keys while the broker runs, and finding whom that cuts off.

On SIGHUP everything is read again; the folder of keys is looked at several times a second besides, so that `hearthbus
keys new` and `revoke` work without anybody telling the broker. What is wrong is said and not taken. Knows nothing of
sockets: that every connection has to end is its answer to the loop.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final

from hearthbus.errors import HearthbusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.access import Table
    from broker.config import BrokerConfig
    from broker.core import Core
    from broker.keyring import Keyring
    from broker.zap import Gate

TAKEN: Final = frozenset({"access", "commit_s", "stats_s"})
"""What can change in a running broker; everything else waits for its next start."""


class Reload:
    """What is asked of it by a signal, and what it finds by itself."""

    def __init__(
        self, core: Core, access: Table, *, gate: Gate, keyring: Keyring, reread: Callable[[], BrokerConfig] | None
    ) -> None:
        self.wanted = False
        """Set by the signal."""
        self._core, self._access, self._gate, self._keyring = core, access, gate, keyring
        self._reread = reread
        self._told = ""

    def want(self) -> None:
        """Read everything again at the next turn; may be called from a signal handler."""
        self.wanted = True

    def look(self) -> bool:
        """Take what has changed; True where every connection is to end, for somebody may do less than before."""
        if self.wanted:
            self.wanted = False
            less = self._configuration()
            self._keyring.read()
            self._tell_fault()
            return self._keys() or less
        changed = self._keyring.changed()
        self._tell_fault()
        return changed and self._keys()

    def _configuration(self) -> bool:
        core, notes = self._core, self._core.out.notes
        if self._reread is None:
            return False
        try:
            config = self._reread()
        except HearthbusError as error:
            notes.append(f"the configuration is not taken: {'; '.join(getattr(error, 'problems', ()) or [str(error)])}")
            return False
        before = core.config
        changed = [part.name for part in fields(config) if getattr(config, part.name) != getattr(before, part.name)]
        later = [name for name in changed if name not in TAKEN]
        core.config = replace(before, **{name: getattr(config, name) for name in TAKEN})
        notes.append("the configuration was read again")
        if later:
            notes.append(f"{', '.join(later)} of [broker] will be taken at the next start")
        return self._take_access()

    def _tell_fault(self) -> None:
        fault = self._keyring.fault
        if fault and fault != self._told:
            self._core.out.notes.append(f"new keys are not taken: {fault}")
        self._told = fault

    def _keys(self) -> bool:
        notes, keyring, gate = self._core.out.notes, self._keyring, self._gate
        before = set(gate.allowed.values())
        cut = gate.take(keyring.allowed)
        after = set(keyring.allowed.values())
        for text, names in (("let in from now on", after - before), ("shut out", before - after)):
            if names:
                notes.append(f"{text}: {', '.join(sorted(names))}")
        for client in [client for client in self._core.clients.by_ident.values() if client.who in cut]:
            self._core.lose(client, "its key was revoked")
        return self._take_access() or bool(cut)

    def _take_access(self) -> bool:
        core = self._core
        less = self._access.load(core.config.access, keys=self._keyring.allowed.values())
        for client in core.clients.by_ident.values():
            core.greeting.limit(client)
        return less
