"""What is counted and timed, over all processes of one machine."""

from prometheus_client import Counter, Histogram

_FAST_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

REQUESTS = Counter(
    "hookfill_requests", "Requests taken in, by dialect and status.", ["dialect", "status"]
)
ACKNOWLEDGE_SECONDS = Histogram(
    "hookfill_acknowledge_seconds",
    "From the first byte of a request to its answer.",
    ["dialect"],
    buckets=_FAST_SECONDS,
)
WRONG_CREDENTIALS = Counter(
    "hookfill_wrong_credentials",
    "Requests with wrong credentials, by kind, and whether their peer had too many before.",
    ["kind", "limited"],
)
HUNG_UP = Counter(
    "hookfill_hung_up",
    "Connections ended because their request came too slowly, or for the room of others.",
    ["reason"],
)
DUPLICATES = Counter("hookfill_duplicates", "Requests that repeated another.", ["dialect"])
WORK_SECONDS = Histogram(
    "hookfill_work_seconds", "One piece of work of a worker.", ["task"], buckets=_FAST_SECONDS
)
LATENESS_SECONDS = Histogram(
    "hookfill_lateness_seconds",
    "From the due time of a delay to its release.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0),
)
CHANGES = Counter(
    "hookfill_changes",
    "What happened to aggregates, as their timelines name it.",
    ["kind", "event"],
)
DENIED_ORDERS = Counter("hookfill_denied_orders", "Orders that were denied here, by why.", ["code"])
PRICE_AGE_SECONDS = Histogram(
    "hookfill_price_age_seconds",
    "How old the prices of a real venue were when they met the triggers.",
    ["feed"],
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
CLOCK_STEPS = Counter(
    "hookfill_clock_steps", "How often a process saw that the clock of the store's host was set."
)
FAILED_ITEMS = Counter(
    "hookfill_failed_items", "Errors of ours that ended the work on one of many, by loop.", ["loop"]
)
DROPPED_MESSAGES = Counter(
    "hookfill_dropped_messages",
    "What came from the broker and was not as Hookfill writes it, by where it was.",
    ["source"],
)
DRY_RUNS = Counter("hookfill_dry_runs", "Requests that were only tried, by dialect.", ["dialect"])
MESSAGES = Counter(
    "hookfill_messages",
    "Messages that were sent to people, by what they tell and what became of them.",
    ["kind", "outcome"],
)
STALE_PRICES = Counter(
    "hookfill_stale_prices", "Prices that were too old to fire triggers, by feed.", ["feed"]
)
TICK_TO_PLACEMENT_SECONDS = Histogram(
    "hookfill_tick_to_placement_seconds",
    "From the tick that fired a trigger to the venue's answer to the order.",
    ["venue"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
