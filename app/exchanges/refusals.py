"""What exchanges refuse an order for, by their own codes, in our words.

These codes say no for certain, whatever class the exchange library makes of them. What is not named
here has the reason of its class; see `errors.py`. A code that leaves it open why has the least that
is certain: `venue_rejected`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from app.domain.enums import OrderType, ReasonCode
from app.domain.errors import VenueRejected
from app.domain.order import Order

_RULES = ReasonCode.AGAINST_RULES
_GONE = ReasonCode.UNKNOWN_INSTRUMENT
_NOT_REDUCING = ReasonCode.WOULD_NOT_REDUCE
_TAKES = ReasonCode.WOULD_TAKE
_TRIGGERS = ReasonCode.WOULD_TRIGGER
_NO = ReasonCode.VENUE_REJECTED
_HALTED = ReasonCode.MARKET_HALTED

#: What we say of a post-only order that an exchange would not have, whichever it was.
POST_ONLY = "post only, and the order would have taken"

#: Whatever is asked with the key: a right that is missing for one thing only is not among these.
_KEY = ReasonCode.CREDENTIALS_REFUSED


def _table(codes: Mapping[ReasonCode, str]) -> Mapping[str, ReasonCode]:
    return {code: reason for reason, listed in codes.items() for code in listed.split()}


#: "Error Codes" of spot, USDⓈ-M and COIN-M futures (developers.binance.com). -1013 is a failed
#: filter, -1111 too many decimals; -4001 to -4007, -4013, -4014, -4016, -4023, -4024, -4029, -4030
#: and -4164 name the filter. -1122, -4108, -4140 and -4141 are markets that are halted, which may
#: end. -2020 and -5021 are what could not be filled, -4131 a best price that is too far off (the
#: library knows -4131, -5021 and -5022 of USDⓈ-M alone), -2023 a user in liquidation; -4087, -4088
#: and the rest are things that this account may not do just now. -2021 and -4142 are stops whose
#: price has come already, -4045 one more than may rest. -1022 is a wrong signature; -2015
#: a key, which the library takes for a ban once the key was good, though Binance has statuses of
#: its own for bans. -5022 could not be a maker; spot says that in words alone, for which the
#: library has a class.
BINANCE = _table(
    {
        _RULES: "-1013 -1111 -4001 -4002 -4003 -4004 -4005 -4006 -4007 -4013 -4014 -4016 -4023 "
        "-4024 -4029 -4030 -4164",
        _GONE: "-1121",
        _NOT_REDUCING: "-2022 -4118",
        _TAKES: "-5022",
        _KEY: "-1022 -2014 -2015",
        _HALTED: "-1122 -4108 -4140 -4141",
        _TRIGGERS: "-2021 -4142",
        _NO: "-2020 -2023 -4045 -4131 -5021 -4087 -4088 -4192 -4400 -4401 -4411",
    }
)

#: "Error Codes" of V5 (bybit-exchange.github.io/docs/v5/error). 10001 says "Qty invalid" of linear
#: quantities, and more; 1701xx are spot's. 110092 and 110093 are stops whose price has come
#: already, 110009 one more than may rest. 110063, 110066, 110074, 170151 and 170157 are pauses of a
#: market. 10003 to 10010 and 33004 are keys: 10005 lacks a right that all of
#: them need here, 10010 comes from another address, 33004 is too old.
BYBIT = _table(
    {
        _RULES: "10001 12137 110003 110094 170124 170133 170134 170135 170136 170137 170140 170148 "
        "170193 170194",
        _GONE: "10029 170121",
        _NOT_REDUCING: "110017 110034",
        _KEY: "10003 10004 10005 10007 10010 33004",
        _HALTED: "110063 110066 110074 170151 170157",
        _TRIGGERS: "110092 110093",
        _NO: "110009",
    }
)

#: Bybit takes in a post-only order that would take, and cancels it for this reason.
BYBIT_WOULD_TAKE = "EC_PostOnlyWillTakeLiquidity"

#: "Error Codes" of the spot API (api-docs.poloniex.com/spot). 10041, 21352 and 21711 are a symbol
#: that is frozen, and currencies that are frozen or locked. 21348 wants a post-only order; said to
#: one, it can only be that it would not have been one.
POLONIEX = _table(
    {
        _RULES: "21310 21311 21322 21330 21335 21336 21337 21349 21350 21360",
        _TAKES: "21348",
        _HALTED: "10041",
        _NO: "21352 21711",
    }
)


@contextmanager
def told_of(order: Order) -> Iterator[None]:
    """Tell of every exchange in one way that an order would have taken: of post-only ones alone.

    Of spot Binance says in words alone that the price of a stop has come already, which the library
    takes for the same.

    Raises:
        VenueRejected: the order was refused, for whatever reason.
    """
    try:
        yield
    except VenueRejected as error:
        if error.code is not _TAKES:
            raise
        if order.condition is not None:
            raise VenueRejected(str(error), _TRIGGERS) from error
        if order.type is not OrderType.LIMIT_MAKER:
            raise VenueRejected(str(error), _NO) from error
        raise VenueRejected(f"{POST_ONLY}: {error}", _TAKES) from error
