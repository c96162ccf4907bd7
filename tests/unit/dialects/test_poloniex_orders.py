"""What the routes of orders tell of a cancel that comes too late."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from app.dialects.poloniex.errors import Code, Problem
from app.dialects.poloniex.plain_orders import PlainOrders
from app.dialects.poloniex.queries import Address
from app.domain.order import Order
from app.domain.status import OrderStatus
from tests.support.builders import an_order, an_order_in

CALLER: Any = SimpleNamespace(body=b'{"orderIds": ["1"]}')


class Direct:
    """Carries out the parts of a request, whoever sent it."""

    def serve_parts(
        self,
        parts_of: Callable[[Any], Sequence[Any]],
        work: Callable[[Any, Any], Any],
        failed: Callable[[Any, Any], Any],  # noqa: ARG002 - none fails
    ) -> list[Any]:
        return [work(CALLER, part) for part in parts_of(CALLER)]


class Late(PlainOrders):
    """An order that is open when it is looked up, and filled when it is to end."""

    def __init__(self, callers: Any) -> None:  # noqa: ANN401
        self._callers = callers
        self.seen = [an_order_in(OrderStatus.FILLED), an_order(status=OrderStatus.NEW)]

    def _find(self, caller: Any, address: Address) -> Order:  # noqa: ANN401, ARG002
        return self.seen.pop()

    def _end(self, one: Order) -> Order:
        assert one.status is OrderStatus.NEW
        raise Problem(Code.NOT_CANCELED)


def test_one_that_was_filled_meanwhile_is_shown_as_filled() -> None:
    (result,) = Late(Direct()).cancel_named()

    assert (result["code"], result["state"]) == (25009, "FILLED")
