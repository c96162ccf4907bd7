"""What can be set of a client (apisify spec, sections 1 and 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.domain.commands import OnSameSide


class CloseMode(StrEnum):
    """What `qty` of a Close means (decision A2)."""

    QTY = "qty"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """The settings of one client.

    Attributes:
        allow_tradingview_ip: whether requests from TradingView need the key only.
        dedup_window_seconds: how long the same request of TradingView counts as a resend; 0 never.
        close_mode: whether a Close closes `qty`, or everything whatever `qty` says.
        sar_same_side: what Sarbuy and Sarsell do when the position is on their side already.
    """

    allow_tradingview_ip: bool = True
    dedup_window_seconds: int = 20
    close_mode: CloseMode = CloseMode.QTY
    sar_same_side: OnSameSide = OnSameSide.SKIP


def settings_of(record: Mapping[str, Any]) -> ClientSettings:
    """Return the settings that a client's record names; our own API has checked them."""
    named = dict(record)
    for name, words in (("close_mode", CloseMode), ("sar_same_side", OnSameSide)):
        if name in named:
            named[name] = words(named[name])
    return ClientSettings(**named)
