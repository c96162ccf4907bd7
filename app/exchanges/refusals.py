"""What exchanges refuse an order for, by their own codes, in our words.

These codes say no for certain, whatever class the exchange library makes of them. What is not named
here has the reason of its class; see `errors.py`. A code that leaves it open why has the least that
is certain: `venue_rejected`.
"""

from collections.abc import Mapping

from app.domain.enums import ReasonCode

_RULES = ReasonCode.AGAINST_RULES
_GONE = ReasonCode.UNKNOWN_INSTRUMENT
_NOT_REDUCING = ReasonCode.WOULD_NOT_REDUCE
_NO = ReasonCode.VENUE_REJECTED


def _table(codes: Mapping[ReasonCode, str]) -> Mapping[str, ReasonCode]:
    return {code: reason for reason, listed in codes.items() for code in listed.split()}


#: "Error Codes" of the spot and the USDⓈ-M documents (developers.binance.com). -1013 is a failed
#: filter, -1111 too many decimals; -4001 to -4005, -4013, -4014, -4016, -4023, -4024, -4029, -4030
#: and -4164
#: name the filter. -1122, -4108, -4140 and -4141 are markets that are halted, which may end. -2020
#: is what could not be filled, -2023 a user in liquidation; -4087, -4088 and the rest are things
#: that this account may not do just now.
BINANCE = _table(
    {
        _RULES: "-1013 -1111 -4001 -4002 -4003 -4004 -4005 -4013 -4014 -4016 -4023 -4024 -4029 "
        "-4030 -4164",
        _GONE: "-1121",
        _NOT_REDUCING: "-2022 -4118",
        _NO: "-1122 -2020 -2023 -4087 -4088 -4108 -4140 -4141 -4192 -4400 -4401 -4411",
    }
)

#: "Error Codes" of V5 (bybit-exchange.github.io/docs/v5/error). 10001 says "Qty invalid" of linear
#: quantities, and more; 1701xx are spot's. 110063, 110066, 110074, 170151 and
#: 170157 are pauses of a market.
BYBIT = _table(
    {
        _RULES: "10001 12137 110003 110094 170124 170133 170134 170135 170136 170137 170140 170148 "
        "170193 170194",
        _GONE: "10029 170121",
        _NOT_REDUCING: "110017 110034",
        _NO: "110063 110066 110074 170151 170157",
    }
)

#: "Error Codes" of the spot API (api-docs.poloniex.com/spot). 10041, 21352 and 21711 are a symbol
#: that is frozen, and currencies that are frozen or locked.
POLONIEX = _table(
    {
        _RULES: "21310 21311 21322 21330 21335 21336 21337 21349 21350 21360",
        _NO: "10041 21352 21711",
    }
)
