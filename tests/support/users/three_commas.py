"""What the vectors of the 3Commas dialect send to a stack, and the state that they begin from."""

import time
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import requests

from tests.support import three_commas as wire
from tests.support.stack import Installation
from tests.support.trade_rig import LONG

PAIR: Final = "USDT_LTC"
SYMBOL: Final = "LTC/USDT"
MINE, THEIRS = "tc-mine", "tc-theirs"
READER, WRITER, STRANGER = "tc-reader", "tc-writer", "tc-other"

#: Key → permissions, account.
_CLIENTS: Final[Mapping[str, tuple[list[str] | None, str]]] = {
    wire.KEY: (None, MINE),
    READER: (["SMART_TRADE_READ"], MINE),
    WRITER: (["SMART_TRADES_WRITE"], MINE),
    STRANGER: (None, THEIRS),
}

_seconds = count(int(time.time()))


class Client:
    """Signs and sends requests, moves prices, and looks at what they bring about."""

    def __init__(self, stack: Installation) -> None:
        self.stack = stack
        self.account = 0
        self.other_account = 0

    def reset(self) -> None:
        """Bring about the state of the vectors: nothing live, money, a price, time frozen."""
        call = self.stack.call
        self.stack.thaw()
        instrument = {
            "symbol": SYMBOL,
            "market": "SPOT",
            "price_step": "0.00000001",
            "quantity_step": "0.01",
        }
        call("PUT", "/paper/instruments", {"instruments": [instrument]})
        for name in (MINE, THEIRS):
            self.stack.open_account(name, {"USDT": "100000", "LTC": "1000"})
        for key, (permissions, account_name) in _CLIENTS.items():
            client = {
                "secret": wire.SECRET,
                "permissions": permissions,
                "accounts": [account_name],
                "enabled": True,
            }
            call("PUT", f"/api/clients/three_commas/{key}", client)
        self.account = call("GET", f"/api/accounts/{MINE}")["id"]
        self.other_account = call("GET", f"/api/accounts/{THEIRS}")["id"]
        self.tick(LONG)
        # A second of its own for each test, so that lists can tell its trades from older ones.
        self.stack.freeze(next(_seconds) * 1000)
        self.stack.forget()

    def tick(self, text: str) -> None:
        """Set `bid/ask` or `bid/ask/last`, and wait for what it brings about."""
        bid, ask, *rest = text.split("/")
        quote = {"bid": bid, "ask": ask, "last": rest[0] if rest else bid}
        self.stack.quotes({SYMBOL: quote})

    def send(
        self,
        method: str,
        target: str,
        parameters: Mapping[str, object] | None = None,
        **how: Any,  # noqa: ANN401 - as `headers` has it
    ) -> requests.Response:
        """Send a signed request with its parameters as JSON."""
        body = wire.json_body(parameters)
        return self.raw(method, target, body, wire.headers(target, body, **how))

    def raw(
        self, method: str, target: str, body: str, headers: Mapping[str, str]
    ) -> requests.Response:
        """Send a request as it is."""
        return requests.request(
            method, self.stack.url(target), data=body or None, headers=dict(headers), timeout=30
        )

    def post(self, path: str, parameters: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401
        """Return the content of a POST that must be carried out, after all that follows."""
        answer = self.send("POST", f"{wire.TRADES}/{path}", parameters)
        assert answer.status_code == 201, answer.text
        self.stack.settle()
        return answer.json()

    def listed(self, query: str = "", key: str = wire.KEY) -> list[Any]:
        """Return a list of trades."""
        target = f"{wire.TRADES}?{query}" if query else wire.TRADES
        answer = self.send("GET", target, key=key)
        assert answer.status_code == 200, answer.text
        trades: list[Any] = answer.json()
        return trades

    def shown(self, trade: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as the page has it
        """Return a trade as it is now."""
        answer = self.send("GET", f"{wire.TRADES}/{trade['id']}/show")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def simple(self, **odd: object) -> dict[str, object]:
        """Return a simple buy of 2 at 99."""
        return wire.simple(self.account, **{"pair": PAIR, **odd})

    def smart(self, **odd: object) -> dict[str, object]:
        """Return a trade of 2 at 99 without exits."""
        return {**self.simple(), **wire.no_exits(), **odd}

    def sale(self, **odd: object) -> dict[str, object]:
        """Return a SmartSale of 10 with take-profit at 105 and stop-loss at 95."""
        return wire.sale(self.account, **{"pair": PAIR, **odd})


def refusal(answer: requests.Response) -> tuple[int, str, Mapping[str, list[str]]]:
    """Return status, word and wrong parameters of an answer, which must be an error."""
    body = answer.json()
    assert set(body) <= {"error", "error_description", "error_attributes"}
    assert isinstance(body["error"], str)
    return answer.status_code, body["error"], body.get("error_attributes", {})
