"""Leverage and position mode of derivatives."""

from app.bootstrap import Wiring
from app.dialects.hummingbot import schemas
from app.dialects.hummingbot.callers import Caller, Callers
from app.dialects.hummingbot.errors import Impossible
from app.dialects.hummingbot.names import is_perpetual, symbol_of
from app.dialects.hummingbot.request_body import shape_of_request
from app.domain.account import Account
from app.domain.enums import PositionMode
from app.services.admin.adjust import set_leverage, set_position_mode
from app.web.answers import Answer, good


class Perpetual:
    """Reads and sets how derivatives are held."""

    def __init__(self, wiring: Wiring, callers: Callers) -> None:
        self._ports = wiring.ports
        self._callers = callers

    def mode(self, account_name: str, connector_name: str) -> Answer:
        """Answer with the position mode that the venue has."""

        def shown(caller: Caller) -> Answer:
            account = _derivatives(caller, account_name, connector_name)
            view = self._ports.venues.of(account).view()
            names = {"connector": connector_name, "account": account_name}
            return good({"position_mode": view.position_mode, **names})

        return self._callers.serve(shown)

    def set_mode(self, account_name: str, connector_name: str) -> Answer:
        """Set the position mode, at the venue and in the account's record."""

        def done(caller: Caller) -> Answer:
            shape = shape_of_request(schemas.POSITION_MODE)
            account = _derivatives(caller, account_name, connector_name)
            mode = _mode(shape["position_mode"])
            set_position_mode(account, mode, self._ports)
            return _success(f"Position mode set to {mode} on {connector_name}")

        return self._callers.serve(done)

    def set_leverage(self, account_name: str, connector_name: str) -> Answer:
        """Set the leverage of one pair."""

        def done(caller: Caller) -> Answer:
            shape = shape_of_request(schemas.LEVERAGE)
            account = _derivatives(caller, account_name, connector_name)
            pair, leverage = shape["trading_pair"], shape["leverage"]
            set_leverage(account, symbol_of(pair), leverage, self._ports)
            return _success(f"Leverage for {pair} set to {leverage} on {connector_name}")

        return self._callers.serve(done)


def _derivatives(caller: Caller, account_name: str, connector_name: str) -> Account:
    """Return the account behind two names.

    Raises:
        NotFound: there is none.
        Impossible: it trades no derivatives.
    """
    account = caller.directory.account(account_name, connector_name)
    if not is_perpetual(connector_name):
        raise Impossible(f"Connector '{connector_name}' is not a perpetual connector")
    return account


def _mode(word: str) -> PositionMode:
    try:
        return PositionMode(word.upper())
    except ValueError as error:
        raise Impossible(
            f"Invalid position mode '{word[:32]}'. Must be 'HEDGE' or 'ONEWAY'"
        ) from error


def _success(message: str) -> Answer:
    return good({"status": "success", "message": message})
