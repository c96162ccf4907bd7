"""Kill switches that are set."""

from collections.abc import Sequence
from typing import Any

import redis

from app.domain.identifiers import AccountId, EpochMs
from app.domain.kill_switch import KillSwitch
from app.store.core import keys
from app.store.core.scripts import load_script, text_of


class RedisKillSwitches:
    """One for each account at most."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._swap = load_script(client, "swap_field.lua")

    def put(self, switch: KillSwitch) -> None:
        """Set it, in the place of an older one."""
        self._client.hset(keys.KILL_SWITCHES, str(switch.account), _text_of(switch))

    def remove(self, account: AccountId) -> None:
        """Switch it off. One that is not set is no error."""
        self._client.hdel(keys.KILL_SWITCHES, str(account))

    def of(self, account: AccountId) -> KillSwitch | None:
        """Return the one that is set, or None."""
        text = self._client.hget(keys.KILL_SWITCHES, str(account))
        return None if text is None else _switch_from(account, text_of(text))

    def due(self, now_ms: EpochMs) -> Sequence[KillSwitch]:
        """Return those whose time has come, by business time."""
        everything: Any = self._client.hgetall(keys.KILL_SWITCHES)
        switches = [_switch_from(AccountId(int(one)), everything[one]) for one in everything]
        return [one for one in switches if one.cancel_at_ms <= now_ms]

    def done(self, switch: KillSwitch) -> None:
        """Forget one that has done its work, unless it was set anew meanwhile."""
        self._swap([keys.KILL_SWITCHES], [switch.account, _text_of(switch), ""])


def _text_of(switch: KillSwitch) -> str:
    return f"{switch.set_at_ms}:{switch.cancel_at_ms}:{switch.origin}"


def _switch_from(account: AccountId, text: str) -> KillSwitch:
    set_at, cancel_at, origin = text.split(":", 2)
    return KillSwitch(
        account=account,
        origin=origin,
        set_at_ms=EpochMs(int(set_at)),
        cancel_at_ms=EpochMs(int(cancel_at)),
    )
