"""What workers tell each other about real exchanges."""

import base64
import json
import secrets
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import redis

from app.domain.enums import PositionMode, PositionSide
from app.domain.identifiers import AccountId, Currency, Symbol, VenueName
from app.domain.market import AccountView, Balance, Position, Quote, Tick
from app.domain.market_data import Look, Shown
from app.domain.moments import age_ms
from app.ports.clock import Clock
from app.store.core.codec import decoder, encoder, value_from
from app.store.core.scripts import load_script, text_of
from app.store.memory import venue_keys
from app.store.memory.listings import RedisListings

#: Longer than the hour after which workers ask anew, so that it is never missing between.
MARKETS_LIFE_MS = 3 * 3_600_000

#: Workers ask anew each hour; names are good for as long as an exchange may be away.
CURRENCIES_LIFE_MS = 7 * 86_400_000

#: Clocks drift by a few milliseconds in a minute.
OFFSET_LIFE_MS = 60_000

#: Of what an account has; whoever shows it looks at its age.
VIEW_LIFE_MS = 600_000

#: Nobody else changes a leverage so soon, or he wants both.
LEVERAGE_LIFE_MS = 30_000

#: Prices that are older say nothing about now.
QUOTE_LIFE_MS = 10_000

#: What everybody may see is asked for again after this: as seldom as is fit for who looks at it.
SHOWN_LIFE_MS = 5_000

#: After this long nobody waits any more.
WANTED_LIFE_MS = 60_000

_BALANCES, _POSITIONS = Mapping[Currency, Balance], Mapping[tuple[Symbol, PositionSide], Position]


@dataclass(frozen=True, slots=True)
class KeptMarkets:
    """Market metadata as ccxt has it, as JSON, and for how long it has been kept."""

    text: str
    age_ms: int
    version: str


@dataclass(frozen=True, slots=True)
class MarketsVersion:
    """Which market metadata is kept now, and whether it is doubted."""

    version: str
    is_doubted: bool


@dataclass(frozen=True, slots=True)
class KeptView:
    """What an account had, and how long ago that was."""

    view: AccountView
    age_ms: int


class RedisVenueMemory:
    """What workers have learned, by venue and by account.

    Args:
        client: decodes answers to text.
        clock: tells the server's time.

    Attributes:
        listings: what exchanges list, over time.
    """

    def __init__(self, client: redis.Redis, clock: Clock) -> None:
        self.listings = RedisListings(client)
        self._client = client
        self._clock = clock
        self._number = load_script(client, "ids.lua")

    def markets(self, venue: VenueName, scope: str) -> KeptMarkets | None:
        """Return the market metadata as it was kept, or None if that is too long ago."""
        key = venue_keys.markets(venue, scope)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hmget(key, "text", "version")
            pipeline.pttl(key)
            (kept, version), left_ms = pipeline.execute()
        if kept is None:
            return None
        text = zlib.decompress(base64.b85decode(text_of(kept))).decode()
        return KeptMarkets(text, MARKETS_LIFE_MS - int(left_ms), text_of(version))

    def markets_version(self, venue: VenueName, scope: str) -> MarketsVersion | None:
        """Return which market metadata is kept, or None if none is. It costs little."""
        version, doubted = self._client.hmget(
            venue_keys.markets(venue, scope), "version", "doubted"
        )
        if version is None:
            return None
        return MarketsVersion(text_of(version), is_doubted=version == doubted)

    def doubt_markets(self, venue: VenueName, scope: str, version: str) -> None:
        """Let the next one who needs them ask anew, unless a newer version is kept by now."""
        key = venue_keys.markets(venue, scope)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, "doubted", version)
            pipeline.pexpire(key, MARKETS_LIFE_MS, nx=True)
            pipeline.execute()

    def view(self, account: AccountId) -> KeptView | None:
        """Return what an account had when a worker looked last, or None if it has moved since."""
        kept, moved = self._client.mget(venue_keys.view(account), venue_keys.moved(account))
        record = None if kept is None else json.loads(text_of(kept))
        if record is None or record.get("moved") != text_of(moved or ""):
            return None
        view = AccountView(
            position_mode=PositionMode(record["mode"]),
            balances=decoder(_BALANCES)(record["balances"]),
            positions=decoder(_POSITIONS)(record["positions"]),
        )
        return KeptView(view, age_ms(record["at"], self._clock.server_ms()))

    def moved(self, account: AccountId) -> str:
        """Return which move of its orders was the last; read it before its venue is asked."""
        return text_of(self._client.get(venue_keys.moved(account)) or "")

    def keep_view(self, account: AccountId, view: AccountView, moved: str) -> None:
        """Keep what an account has now; nobody needs to want it any more.

        Args:
            account: whose it is.
            view: what it has.
            moved: which move of its orders was the last before the venue was asked.
        """
        record = {
            "at": self._clock.server_ms(),
            "moved": moved,
            "mode": view.position_mode,
            "balances": encoder(_BALANCES)(view.balances),
            "positions": encoder(_POSITIONS)(view.positions),
        }
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.set(venue_keys.view(account), json.dumps(record), px=VIEW_LIFE_MS)
            pipeline.zrem(venue_keys.WANTED_VIEWS, str(account))
            pipeline.execute()

    def outdate(self, account: AccountId) -> None:
        """Forget what an account had: an order of it has moved since."""
        # Longer than any picture of before is kept.
        self._client.set(venue_keys.moved(account), secrets.token_hex(8), px=2 * VIEW_LIFE_MS)

    def want_view(self, account: AccountId) -> None:
        """Let a worker look soon."""
        now_ms = self._clock.server_ms()
        self._client.zadd(venue_keys.WANTED_VIEWS, {str(account): now_ms})

    def wanted(self) -> Collection[AccountId]:
        """Return the accounts of which somebody wants to know lately what they have."""
        since = self._clock.server_ms() - WANTED_LIFE_MS
        self._client.zremrangebyscore(venue_keys.WANTED_VIEWS, "-inf", since)
        found = self._client.zrange(venue_keys.WANTED_VIEWS, 0, -1)
        return [AccountId(int(text_of(one))) for one in found]

    def tick(self, feed: VenueName, symbol: Symbol) -> Tick | None:
        """Return prices that were seen within seconds, numbered by the server's time, or None."""
        kept = self._client.get(venue_keys.quote(feed, symbol))
        if kept is None:
            return None
        tick = value_from(Tick, text_of(kept))
        fresh = tick.seen_within(QUOTE_LIFE_MS, self._clock.server_ms())
        return fresh if fresh.quotes else None

    def tick_number(self, feed: VenueName) -> int:
        """Return the number of a new tick: the server's time, and above all that came before."""
        return int(self._number([venue_keys.tick(feed)], [1, 0, 1])[0])

    def keep_quotes(self, feed: VenueName, quotes: Mapping[Symbol, Quote]) -> None:
        """Keep prices for a few seconds."""
        number, at_ms = self.tick_number(feed), self._clock.now_ms()
        seen_ms = self._clock.server_ms()
        with self._client.pipeline(transaction=False) as pipeline:
            for symbol, quote in quotes.items():
                seen = {symbol: seen_ms}
                tick = Tick(number=number, at_ms=at_ms, quotes={symbol: quote}, seen_at_ms=seen)
                key = venue_keys.quote(feed, symbol)
                pipeline.set(key, json.dumps(encoder(Tick)(tick)), px=QUOTE_LIFE_MS)
            pipeline.execute()

    def shown(self, feed: VenueName, look: Look) -> Shown | None:
        """Return what a worker has seen within seconds, or None."""
        kept = self._client.get(venue_keys.shown(feed, look.name))
        return None if kept is None else value_from(Shown, text_of(kept))

    def keep_shown(self, feed: VenueName, look: Look, found: Shown) -> None:
        """Keep what was seen for a few seconds."""
        text = json.dumps(encoder(Shown)(found), separators=(",", ":"))
        self._client.set(venue_keys.shown(feed, look.name), text, px=SHOWN_LIFE_MS)

    def leverage(self, account: AccountId, symbol: Symbol) -> int | None:
        """Return the leverage that was set last, or None if none was."""
        found = self._client.hget(venue_keys.leverage(account), symbol)
        return None if found is None else int(text_of(found))

    def leverage_just_set(self, trader: str, symbol: Symbol) -> int | None:
        """Return the leverage that was set just now, or None if none was.

        Args:
            trader: whoever trades at the exchange, with whichever of our accounts.
            symbol: whose leverage.
        """
        found = self._client.get(venue_keys.leverage_just_set(trader, symbol))
        return None if found is None else int(text_of(found))

    def keep_leverage(self, account: AccountId, trader: str, symbol: Symbol, leverage: int) -> None:
        """Note a leverage that was set."""
        key = venue_keys.leverage_just_set(trader, symbol)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(venue_keys.leverage(account), symbol, str(leverage))
            pipeline.set(key, str(leverage), px=LEVERAGE_LIFE_MS)
            pipeline.execute()

    def forget_leverage_just_set(self, trader: str, symbol: Symbol) -> None:
        """Let the next order set it anew."""
        self._client.delete(venue_keys.leverage_just_set(trader, symbol))

    def keep_markets(self, venue: VenueName, scope: str, text: str) -> str:
        """Keep market metadata for all workers, and return which version it is.

        A big exchange has megabytes of it.
        """
        packed = base64.b85encode(zlib.compress(text.encode())).decode()
        key, version = venue_keys.markets(venue, scope), secrets.token_hex(8)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, mapping={"text": packed, "version": version})
            pipeline.pexpire(key, MARKETS_LIFE_MS)
            pipeline.execute()
        return version

    def clock_offset_ms(self, venue: VenueName) -> int | None:
        """Return how far the venue's clock is ahead of the server's, if measured lately."""
        kept = self._client.get(venue_keys.clock_offset(venue))
        offset_ms, _, measured_ms = text_of(kept or "").partition(":")
        # One that was measured before the server's clock was set says nothing any more.
        if not measured_ms or age_ms(int(measured_ms), self._clock.server_ms()) > OFFSET_LIFE_MS:
            return None
        return int(offset_ms)

    def keep_clock_offset(self, venue: VenueName, offset_ms: int) -> None:
        """Keep a measurement."""
        measured = f"{offset_ms}:{self._clock.server_ms()}"
        self._client.set(venue_keys.clock_offset(venue), measured, px=OFFSET_LIFE_MS)

    def forget_clock_offset(self, venue: VenueName) -> None:
        """Let the next request measure anew."""
        self._client.delete(venue_keys.clock_offset(venue))

    def currency_name(self, venue: VenueName, currency: Currency) -> str | None:
        """Return what a venue calls a currency, or None if nobody has learned that."""
        found = self._client.hget(venue_keys.currencies(venue), currency)
        return None if found is None else text_of(found)

    def keep_currencies(self, venue: VenueName, names: Mapping[Currency, str]) -> None:
        """Keep what a venue calls its currencies, in place of what it did."""
        key = venue_keys.currencies(venue)
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.delete(key)
            pipeline.hset(key, mapping={str(code): name for code, name in names.items()})
            pipeline.pexpire(key, CURRENCIES_LIFE_MS)
            pipeline.execute()


class RedisSymbolMap:
    """Spellings that people have set, by venue.

    Args:
        client: decodes answers to text.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def spellings(self, venue: VenueName) -> Mapping[str, Symbol]:
        """Return spelling, in upper case → symbol."""
        found = self._client.hgetall(venue_keys.spellings(venue))
        return {text_of(one): Symbol(text_of(symbol)) for one, symbol in found.items()}

    def put_spelling(self, venue: VenueName, spelling: str, symbol: Symbol | None) -> None:
        """Set what a spelling means; None takes it away."""
        key = venue_keys.spellings(venue)
        if symbol is None:
            self._client.hdel(key, spelling.upper())
        else:
            self._client.hset(key, spelling.upper(), symbol)
