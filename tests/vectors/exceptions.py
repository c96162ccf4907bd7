"""What a vector cannot have at an exchange, and why: one table, shown in docs/venues.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from tests.support.places import Place

_ALL: Final = frozenset(Place)
_SPOT_ONLY: Final = frozenset({Place.POLONIEX})
_ONE_WAY: Final = frozenset({Place.BINANCE_ONE_WAY})


@dataclass(frozen=True)
class Exempt:
    """Vectors that some exchanges cannot have.

    Attributes:
        why: in one line, as docs/venues.md has it.
        places: which exchanges.
        tests: patterns of `module::test[parameters]`, the parameters without the exchange.
    """

    why: str
    places: frozenset[Place]
    tests: tuple[str, ...]


EXEMPT: Final = (
    Exempt(
        "The exchange has no derivatives.",
        _SPOT_ONLY,
        (
            "test_contract_trading::*",
            "test_crypto_arsenal::test_v1[23]_*",
            "test_crypto_arsenal::test_v1[578]_*",
            "test_crypto_arsenal::test_v2[23478]_*",
            "test_hummingbot::test_v3[128]_*",
            "test_hummingbot::*close*",
            "test_hummingbot::*mode*",
            "test_hummingbot::*leverage*",
            "test_hummingbot::test_a_key_is_one_whatever_account_it_comes_with",
            "test_hummingbot_client::test_it_finds_out_what_there_is",
            "test_hummingbot_client::test_it_trades_derivatives",
        ),
    ),
    Exempt(
        "The exchange has no derivatives, and the vectors of the dialect are about positions.",
        _SPOT_ONLY,
        ("test_apisify::*", "test_apisify_trading::*"),
    ),
    Exempt(
        "It is about the account of the demo, or about a second one, which are on paper.",
        _ALL,
        (
            "test_printed_sample::test_the_sample_of_the_page_buys_an_inverse_contract",
            "test_apisify_trading::test_a_signature_is_used_up_whatever_the_account",
        ),
    ),
    Exempt(
        "A contract is one dollar there; inverse contracts at exchanges have tests of their own.",
        _ALL,
        ("test_inverse_contracts::*",),
    ),
    Exempt(
        "It asks for fills by the time of a clock that stands still; those of an exchange have "
        "its own.",
        _ALL,
        ("test_poloniex_ccxt::test_market_orders_and_trades",),
    ),
    Exempt(
        "It is about prices that the paper venue simulates.",
        _ALL,
        ("test_poloniex_ccxt::test_candles_of_the_walk",),
    ),
    Exempt(
        "It is about an account in hedge mode.",
        _ONE_WAY,
        (
            "test_apisify_trading::test_a_hedge_account_reverses_by_two_legs",
            "test_apisify_trading::test_a_close_that_fails_is_tried_again_before_anything_opens",
            "test_apisify_trading::test_a_failed_opening_leaves_it_flat",
        ),
    ),
    Exempt(
        "A position in one-way mode has no side, and its account is in that mode already.",
        _ONE_WAY,
        (
            "test_hummingbot::test_v31_*",
            "test_hummingbot::test_the_position_mode_cannot_change_while_orders_rest",
        ),
    ),
    Exempt(
        "An exchange is looked at between two prices of the vector: what trails, or is timed, "
        "begins at the first.",
        _ALL,
        (
            "test_three_commas_prices::test_a_price_vector[V15]",
            "test_three_commas_prices::test_a_price_vector[V32]",
            "test_three_commas_prices::test_a_price_vector[V35]",
            "test_three_commas_prices::test_a_price_vector[V47]",
        ),
    ),
)


def exempt(name: str, place: Place) -> Iterator[Exempt]:
    """Return the rows by which a vector is not run at an exchange."""
    for row in EXEMPT:
        if place in row.places and any(_matches(name, one) for one in row.tests):
            yield row


def _matches(name: str, pattern: str) -> bool:
    """Tell whether a pattern names a vector with its parameters, or its function."""
    return name == pattern or fnmatchcase(name.partition("[")[0], pattern)
