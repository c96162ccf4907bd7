"""The price vectors of the 3Commas spec, 8.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.smart_trade.enums import TradeType
from app.domain.smart_trade.spec import EntryRule, NewTrade
from tests.support.trade_rig import LONG, a_sale, a_trade, classic, entry, steps, stop

SHORT = "100/100.1"

WAITS = "conditional_order_waiting_price"
TRAILS_IN = "trailing_buy_activated"
ENTERS = "buy_order_placed"
BOUGHT = "bought"
TAKES = "take_profit_order_placed"
TRAILS_OUT = "trailing_take_profit_activated"
STOPS = "stop_loss_order_placed"
PANICS = "panic_sell_order_placed"
TOOK, STOPPED, PANICKED = "take_profit_finished", "stop_loss_finished", "panic_sell_finished"
SIMPLE = "simple_trade_finished"
CANCELLED = "cancelled"

IN_STEPS = (("50", "105"), ("25", "110"), ("25", "115"))


@dataclass(frozen=True)
class Vector:
    """One row of the table.

    Attributes:
        ticks: `bid/ask[/last]`, `@seconds bid/ask` at a time, or what a caller does: `!cancel`,
            `!panic`, `!panic <position>`, `!funds <quantity> [<price>]`.
        lot: of the instrument; None is any that is small enough.
        statuses: all that the trade went through.
        fills: `T<tick> <side> <type> <quantity> @<price>`.
        steps: of the take-profit, then the stop, how they stand in the end.
        figures: by name, in the end.
        first: the tick at which the trade is opened.
    """

    command: NewTrade
    ticks: Sequence[str]
    statuses: Sequence[str]
    fills: Sequence[str]
    steps: str | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    lot: str | None = None
    type: str | None = None
    first: str = LONG


def conditional(price: str, limit: str | None = None, trailing: str | None = None) -> EntryRule:
    """Return an entry that waits for its price."""
    return entry("conditional", price, limit, trailing)


BUY, SELL = TradeType.SIMPLE_BUY, TradeType.SIMPLE_SELL
C_BUY, C_SELL = TradeType.CONDITIONAL_SIMPLE_BUY, TradeType.CONDITIONAL_SIMPLE_SELL
COVER, C_COVER = TradeType.SELL_BUY_BACK, TradeType.CONDITIONAL_SELL
SMART, C_SMART = TradeType.CLASSIC, TradeType.CONDITIONAL_BUY

BOTH = {**classic("105"), **stop("95")}
LIMITED = {**classic("105", limit="106"), **stop("95")}
LATE = {**stop("95", timeout=60)}
COVERED = {**classic("95", source="ask"), **stop("105", source="ask")}
STEPPED = {**steps(*IN_STEPS), **stop("95")}

VECTORS = {
    "V01": Vector(
        a_trade(BUY, "2", entry=entry("market")),
        [],
        [ENTERS, SIMPLE],
        ["T0 BUY MARKET 2 @100"],
        type="SimpleBuy",
    ),
    "V02": Vector(
        a_trade(BUY, "2", entry=entry("limit", "99")),
        ["99/99.1", "98.9/99"],
        [ENTERS, SIMPLE],
        ["T2 BUY LIMIT 2 @99"],
    ),
    "V03": Vector(
        a_trade(C_BUY, "2", entry=conditional("105")),
        ["104.8/104.9", "104.9/105"],
        [WAITS, ENTERS, SIMPLE],
        ["T2 BUY MARKET 2 @105"],
        type="ConditionalSimpleBuy",
    ),
    "V04": Vector(
        a_trade(C_BUY, "2", entry=conditional("95", "94.5")),
        ["95/95.1", "94.9/95", "94.4/94.5"],
        [WAITS, ENTERS, SIMPLE],
        ["T3 BUY LIMIT 2 @94.5"],
    ),
    "V05": Vector(
        a_trade(SELL, "3", entry=entry("limit", "101")),
        ["100.9/101.1", "101/101.2"],
        [ENTERS, SIMPLE],
        ["T2 SELL LIMIT 3 @101"],
    ),
    "V06": Vector(
        a_trade(C_SELL, "3", entry=conditional("95")),
        ["95.5/95.6", "95/95.1"],
        [WAITS, ENTERS, SIMPLE],
        ["T2 SELL MARKET 3 @95"],
        type="ConditionalSimpleSell",
    ),
    "V07": Vector(
        a_sale("10", **BOTH),
        ["104.9/105.2", "105/105.1"],
        [BOUGHT, TAKES, TOOK],
        ["T2 SELL MARKET 10 @105"],
        "processed skipped",
        {"profit": "5"},
        type="SmartSale",
    ),
    "V08": Vector(
        a_sale("10", **BOTH),
        ["95.1/95.2", "95/95.1"],
        [BOUGHT, STOPS, STOPPED],
        ["T2 SELL MARKET 10 @95"],
        "skipped processed",
    ),
    "V09": Vector(
        a_sale("10", **classic("105", source="ask")),
        ["104/104.9", "104.4/105"],
        [BOUGHT, TAKES, TOOK],
        ["T2 SELL MARKET 10 @104.4"],
    ),
    "V10": Vector(
        a_sale("10", **classic("105", source="last")),
        ["105.1/105.2/104.9", "104.5/104.8/105"],
        [BOUGHT, TAKES, TOOK],
        ["T2 SELL MARKET 10 @104.5"],
    ),
    "V11": Vector(
        a_sale("10", **LIMITED),
        ["105/105.1", "105.5/105.6", "106/106.1"],
        [BOUGHT, TAKES, TOOK],
        ["T3 SELL LIMIT 10 @106"],
        figures={"profit_order": "106"},
    ),
    "V12": Vector(
        a_sale("10", **LIMITED),
        ["105/105.1", "95/95.2"],
        [BOUGHT, TAKES, STOPS, STOPPED],
        ["T2 SELL MARKET 10 @95"],
        "skipped processed",
    ),
    "V13": Vector(
        a_sale("10", **stop("95", limit="94")),
        ["95/95.1"],
        [BOUGHT, STOPS, STOPPED],
        ["T1 SELL LIMIT 10 @95"],
    ),
    "V14": Vector(
        a_sale("10", **stop("95", limit="94")),
        ["93/93.1", "93.9/94.1", "94/94.2"],
        [BOUGHT, STOPS, STOPPED],
        ["T3 SELL LIMIT 10 @94"],
    ),
    "V15": Vector(
        a_sale("10", **stop("95", trailing=True)),
        ["100/100.1", "110/110.1", "105/105.1", "120/120.2", "114.1/114.2", "114/114.1"],
        [BOUGHT, STOPS, STOPPED],
        ["T6 SELL MARKET 10 @114"],
        figures={"stop_percent": "5", "stop_extreme": "120", "stop_price": "114"},
    ),
    "V16": Vector(
        a_sale("10", **classic("105", trailing="2")),
        ["105/105.1", "110/110.1", "108/108.1", "107.8/107.9"],
        [BOUGHT, TRAILS_OUT, TAKES, TOOK],
        ["T4 SELL MARKET 10 @107.8"],
        figures={"profit_extreme": "110"},
    ),
    "V17": Vector(
        a_sale("10", **classic("105", trailing="2"), **stop("95")),
        ["105/105.1", "102.9/103"],
        [BOUGHT, TRAILS_OUT, TAKES, TOOK],
        ["T2 SELL MARKET 10 @102.9"],
    ),
    "V18": Vector(
        a_sale("10", **classic("105", trailing="2"), **stop("95")),
        ["105/105.1", "94/94.1"],
        [BOUGHT, TRAILS_OUT, STOPS, STOPPED],
        ["T2 SELL MARKET 10 @94"],
        "skipped processed",
    ),
    "V19": Vector(
        a_sale("10", **STEPPED),
        ["105/105.1", "110/110.1", "115/115.1"],
        [BOUGHT, TAKES, BOUGHT, TAKES, BOUGHT, TAKES, TOOK],
        ["T1 SELL MARKET 5 @105", "T2 SELL MARKET 2.5 @110", "T3 SELL MARKET 2.5 @115"],
        "processed processed processed skipped",
        {"sell": "108.75"},
    ),
    "V20": Vector(
        a_sale("10", **STEPPED),
        ["112/112.1", "95/95.1"],
        [BOUGHT, TAKES, BOUGHT, STOPS, STOPPED],
        ["T1 SELL MARKET 5 @112", "T1 SELL MARKET 2.5 @112", "T2 SELL MARKET 2.5 @95"],
        "processed processed skipped processed",
        {"sell": "107.75"},
    ),
    "V21": Vector(
        a_sale("1", **steps(("33.3", "105"), ("33.3", "110"), ("33.4", "115"))),
        ["105", "110", "115"],
        [BOUGHT, TAKES, BOUGHT, TAKES, BOUGHT, TAKES, TOOK],
        ["T1 SELL MARKET 0.33 @105", "T2 SELL MARKET 0.33 @110", "T3 SELL MARKET 0.34 @115"],
        figures={"sell": "110.05"},
        lot="0.01",
    ),
    "V22": Vector(
        a_sale("10", **steps(*IN_STEPS, trailing="1")),
        ["105", "110", "115", "120", "118.8"],
        [BOUGHT, TAKES, BOUGHT, TAKES, BOUGHT, TRAILS_OUT, TAKES, TOOK],
        ["T1 SELL MARKET 5 @105", "T2 SELL MARKET 2.5 @110", "T5 SELL MARKET 2.5 @118.8"],
        figures={"sell": "109.7"},
    ),
    "V23": Vector(
        a_trade(SMART, "1", entry=entry("market"), **classic("110"), **stop("90")),
        ["110/110.1"],
        [ENTERS, BOUGHT, TAKES, TOOK],
        ["T0 BUY MARKET 1 @100", "T1 SELL MARKET 1 @110"],
        type="Classic",
    ),
    "V24": Vector(
        a_trade(SMART, "1", entry=entry("limit", "98"), **classic("110"), **stop("90")),
        ["98.5/98.6", "97.9/98", "90/90.1"],
        [ENTERS, BOUGHT, STOPS, STOPPED],
        ["T2 BUY LIMIT 1 @98", "T3 SELL MARKET 1 @90"],
    ),
    "V25": Vector(
        a_trade(C_SMART, "1", entry=conditional("105"), **classic("115"), **stop("100")),
        ["104.9/105", "115/115.1"],
        [WAITS, ENTERS, BOUGHT, TAKES, TOOK],
        ["T1 BUY MARKET 1 @105", "T2 SELL MARKET 1 @115"],
        type="ConditionalBuy",
    ),
    "V26": Vector(
        a_trade(
            C_SMART,
            "1",
            entry=conditional("400", trailing="10"),
            **classic(percentage="5"),
            **stop(percentage="-3"),
        ),
        ["399/400", "349/350", "384.9/384.99", "384.9/385", "404.25/404.3"],
        [WAITS, TRAILS_IN, ENTERS, BOUGHT, TAKES, TOOK],
        ["T4 BUY MARKET 1 @385", "T5 SELL MARKET 1 @404.25"],
        figures={"profit_price": "404.25", "stop_price": "373.45", "entry_extreme": "350"},
        first="409/410",
    ),
    "V27": Vector(
        a_trade(
            C_SMART,
            "2",
            entry=conditional("100", trailing="5"),
            **steps(("50", "10"), ("50", "20"), by_percentage=True),
            **stop(percentage="-10", trailing=True),
        ),
        ["99.9/100", "94.9/95", "99.7/99.75", "99.75/99.8", "109.725/109.8", "98.7525/98.8"],
        [WAITS, TRAILS_IN, ENTERS, BOUGHT, TAKES, BOUGHT, STOPS, STOPPED],
        ["T3 BUY MARKET 2 @99.75", "T5 SELL MARKET 1 @109.725", "T6 SELL MARKET 1 @98.7525"],
        figures={"profit_prices": "109.725 119.7", "stop_percent": "10", "stop_price": "98.7525"},
        first="101/102",
    ),
    "V28": Vector(
        a_trade(COVER, "1", entry=entry("market"), **COVERED),
        ["94.8/95"],
        [ENTERS, BOUGHT, TAKES, TOOK],
        ["T0 SELL MARKET 1 @100", "T1 BUY MARKET 1 @95"],
        figures={"profit": "5"},
        type="SellBuyBack",
        first=SHORT,
    ),
    "V29": Vector(
        a_trade(COVER, "1", entry=entry("market"), **COVERED),
        ["104.9/105"],
        [ENTERS, BOUGHT, STOPS, STOPPED],
        ["T0 SELL MARKET 1 @100", "T1 BUY MARKET 1 @105"],
        figures={"profit": "-5"},
        first=SHORT,
    ),
    "V30": Vector(
        a_trade(
            C_COVER,
            "1",
            entry=conditional("100", trailing="5"),
            **classic(percentage="-10", source="ask"),
            **stop(percentage="5", source="ask"),
        ),
        ["100/100.1", "120/120.1", "114.1/114.2", "114/114.1", "102.5/102.6"],
        [WAITS, TRAILS_IN, ENTERS, BOUGHT, TAKES, TOOK],
        ["T4 SELL MARKET 1 @114", "T5 BUY MARKET 1 @102.6"],
        figures={"profit_price": "102.6", "stop_price": "119.7"},
        type="ConditionalSell",
        first="98/98.1",
    ),
    "V31": Vector(
        a_trade(COVER, "1", entry=entry("market"), **classic("95", source="ask", trailing="2")),
        ["94.9/95", "89.9/90", "91.7/91.79", "91.7/91.8"],
        [ENTERS, BOUGHT, TRAILS_OUT, TAKES, TOOK],
        ["T0 SELL MARKET 1 @100", "T4 BUY MARKET 1 @91.8"],
        first=SHORT,
    ),
    "V32": Vector(
        a_trade(COVER, "1", entry=entry("market"), **stop("105", source="ask", trailing=True)),
        ["99.9/100", "79.9/80", "83.9/83.99", "83.9/84"],
        [ENTERS, BOUGHT, STOPS, STOPPED],
        ["T0 SELL MARKET 1 @100", "T4 BUY MARKET 1 @84"],
        figures={"stop_percent": "5", "stop_extreme": "80"},
        first=SHORT,
    ),
    "V33": Vector(
        a_trade(
            C_COVER,
            "4",
            entry=conditional("100", trailing="2"),
            **steps(("50", "-5"), ("50", "-10"), source="ask", by_percentage=True),
        ),
        ["100/100.1", "98/98.1", "93/93.1", "88/88.2"],
        [WAITS, TRAILS_IN, ENTERS, BOUGHT, TAKES, BOUGHT, TAKES, TOOK],
        ["T2 SELL MARKET 4 @98", "T3 BUY MARKET 2 @93.1", "T4 BUY MARKET 2 @88.2"],
        figures={"profit_prices": "93.1 88.2", "buy": "90.65"},
        first="99/99.1",
    ),
    "V34": Vector(
        a_sale("10", **LATE),
        ["@10 95", "@30 96", "@69 94", "@70 94"],
        [BOUGHT, STOPS, STOPPED],
        ["T4 SELL MARKET 10 @94"],
    ),
    "V35": Vector(
        a_sale("10", **LATE),
        ["@10 95", "@40 94", "@70 95.5", "@170 95", "@230 94"],
        [BOUGHT, STOPS, STOPPED],
        ["T5 SELL MARKET 10 @94"],
    ),
    "V36": Vector(
        a_sale("10", **LATE, **classic("105")),
        ["@10 95", "@40 105"],
        [BOUGHT, TAKES, TOOK],
        ["T2 SELL MARKET 10 @105"],
    ),
    "V37": Vector(
        a_sale("10", **BOTH),
        ["101/101.1", "!panic"],
        [BOUGHT, PANICS, PANICKED],
        ["T1 SELL MARKET 10 @101"],
        "skipped skipped",
    ),
    "V38": Vector(
        a_sale("10", **steps(*IN_STEPS)),
        ["105/105.1", "106/106.1", "!panic"],
        [BOUGHT, TAKES, BOUGHT, PANICS, PANICKED],
        ["T1 SELL MARKET 5 @105", "T2 SELL MARKET 5 @106"],
        "processed skipped skipped",
        {"sell": "105.5"},
    ),
    "V39": Vector(
        a_sale("10", **steps(*IN_STEPS)),
        ["103/103.1", "!panic 2", "105/105.1", "115/115.1"],
        [BOUGHT, TAKES, BOUGHT, TAKES, TOOK],
        ["T1 SELL MARKET 2.5 @103", "T2 SELL MARKET 5 @105", "T3 SELL MARKET 2.5 @115"],
        "processed panic_sold processed",
        {"sell": "107"},
    ),
    "V40": Vector(
        a_trade(C_SMART, "1", entry=conditional("105"), **classic("115")),
        ["101/101.1", "!cancel"],
        [WAITS, CANCELLED],
        [],
        "cancelled",
    ),
    "V41": Vector(
        a_trade(SMART, "1", entry=entry("limit", "98"), **classic("115")),
        ["99/99.1", "!cancel"],
        [ENTERS, CANCELLED],
        [],
        "cancelled",
    ),
    "V42": Vector(
        a_sale("10", **steps(*IN_STEPS, limit=True)),
        ["105/105.1", "!cancel"],
        [BOUGHT, TAKES, BOUGHT, CANCELLED],
        ["T1 SELL LIMIT 5 @105"],
        "processed cancelled cancelled",
    ),
    "V43": Vector(
        a_trade(SMART, "1", entry=entry("market"), **classic("110"), **stop("80")),
        ["89.9/90", "!funds 1", "110/110.1"],
        [ENTERS, BOUGHT, TAKES, TOOK],
        ["T0 BUY MARKET 1 @100", "T1 BUY MARKET 1 @90", "T2 SELL MARKET 2 @110"],
        figures={"entry": "95", "profit_price": "110"},
    ),
    "V44": Vector(
        a_trade(SMART, "2", entry=entry("market"), **steps(("50", "105"), ("50", "110"))),
        ["95/95.1", "!funds 2 90", "89.9/90", "105/105.1", "110/110.1"],
        [ENTERS, BOUGHT, TAKES, BOUGHT, TAKES, TOOK],
        [
            "T0 BUY MARKET 2 @100",
            "T2 BUY LIMIT 2 @90",
            "T3 SELL MARKET 2 @105",
            "T4 SELL MARKET 2 @110",
        ],
        figures={"entry": "95"},
    ),
    "V45": Vector(
        a_sale("10", **classic("105", source="ask"), **stop("95")),
        ["94/106/100"],
        [BOUGHT, STOPS, STOPPED],
        ["T1 SELL MARKET 10 @94"],
    ),
    "V46": Vector(
        a_sale("10", **steps(*IN_STEPS, limit=True), **stop("95")),
        ["105/105.1", "110.5/110.6", "95/95.2"],
        [BOUGHT, TAKES, BOUGHT, TAKES, BOUGHT, STOPS, STOPPED],
        ["T1 SELL LIMIT 5 @105", "T2 SELL LIMIT 2.5 @110.5", "T3 SELL MARKET 2.5 @95"],
        figures={"sell": "103.875"},
    ),
    "V47": Vector(
        a_sale("10", **steps(("50", "110"), ("50", "130")), **stop("90", trailing=True)),
        ["100", "110", "105", "99"],
        [BOUGHT, TAKES, BOUGHT, STOPS, STOPPED],
        ["T2 SELL MARKET 5 @110", "T4 SELL MARKET 5 @99"],
        figures={"stop_price": "99"},
    ),
}
