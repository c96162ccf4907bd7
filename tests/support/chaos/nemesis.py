"""What happens to the processes and to the venue, in an order that a seed decides."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import redis
import requests

from tests.support.chaos.load import ACCOUNTS
from tests.support.stack import Stack

#: Whoever is killed or frozen, each as often as it stands here.
VICTIMS = ("worker", "worker", "worker-2", "web", "beat", "redis", "broker")
FREEZE_SECONDS = (0.1, 4.0)
PAUSE_SECONDS = (0.1, 1.0)

#: A run is whole again long before; the machines that run this are slow and shared.
RECOVERY_SECONDS_MAX = 60.0

#: The faults of placements. Each of them holds up its lane for longer than a second.
WORDS = ("accept_then_timeout", "accept_then_error", "timeout", "error", "ok")
WORDS_MAX = 3


class Nemesis:
    """Does one harm after the other; the run must be whole again before the next.

    Args:
        stack: to be harmed.
        seed: the same one gives the same harms in the same order.
    """

    def __init__(self, stack: Stack, seed: int) -> None:
        self.harms: Counter[str] = Counter()
        self.recovery_seconds: dict[str, list[float]] = {}
        self._stack = stack
        self._dice = random.Random(seed)  # noqa: S311

    def rage(self, seconds: float) -> None:
        """Do harm for this long. Answers are lost in any case, however little else is tried."""
        self.do(self.lose_answers)
        harms: tuple[Callable[[], str], ...] = (
            self.kill,
            self.kill,
            self.kill_a_part,
            self.restart,
            self.freeze,
            self.freeze,
            self.lose_messages,
            self.plan_faults,
            self.plan_faults,
        )
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.do(self._dice.choice(harms))
            time.sleep(self._dice.uniform(*PAUSE_SECONDS))

    def do(self, harm: Callable[[], str]) -> None:
        """Do one harm, and note how long the run needs to be whole again.

        Raises:
            AssertionError: it needs too long.
        """
        at_ms = time.time_ns() // 1_000_000
        started = time.monotonic()
        what = harm()
        self.harms[what] += 1
        if what.startswith(("kill", "restart")):
            self._await_canary(at_ms, what)
            self.recovery_seconds.setdefault(what, []).append(time.monotonic() - started)

    def kill(self) -> str:
        """Kill the main process of somebody."""
        victim = self._dice.choice(VICTIMS)
        with suppress(ProcessLookupError):
            self._stack.kill(victim)
        return f"kill {victim}"

    def kill_a_part(self) -> str:
        """Kill one of the processes that the web server has forked; it forks another."""
        web = self._pid("web")
        with suppress(OSError):
            parts = Path(f"/proc/{web}/task/{web}/children").read_text().split()
            if parts:
                os.kill(int(self._dice.choice(parts)), signal.SIGKILL)
        return "kill a part of web"

    def restart(self) -> str:
        """Ask somebody to stop, as an update does."""
        victim = self._dice.choice(sorted(set(VICTIMS)))
        with suppress(ProcessLookupError):
            self._stack.kill(victim, signal.SIGTERM)
        return f"restart {victim}"

    def freeze(self) -> str:
        """Let somebody stand still, alone or with all its processes, then go on."""
        victim, whole = self._dice.choice(VICTIMS), self._dice.random() < 0.7
        frozen(self._pid(victim), self._dice.uniform(*FREEZE_SECONDS), whole=whole)
        return f"freeze {victim}"

    def lose_messages(self) -> str:
        """Empty the database of the broker."""
        with suppress(redis.RedisError), redis.Redis.from_url(self._stack.run["broker_url"]) as one:
            one.flushdb()
        return "lose the broker's database"

    def plan_faults(self) -> str:
        """Let the next placements fail, or seem to.

        The venue hides nothing: it would hide it from a question that comes late, too, when it must
        show what it has. See test_faults.py for a venue that hides an order within the grace.
        """
        account = self._dice.choice(ACCOUNTS)
        place = self._dice.choices(WORDS, k=self._dice.randint(1, WORDS_MAX))
        delay_ms = self._dice.choice((0, 0, 0, 200))
        faults = {"place": place, "delay_ms": delay_ms}
        with suppress(requests.RequestException, AssertionError):
            self._stack.call("PUT", f"/paper/faults/{account}", faults)
        return "venue faults"

    def lose_answers(self) -> str:
        """Let the next placements of each account arrive, and their answers be lost."""
        faults = {"place": ["accept_then_timeout"] * WORDS_MAX}
        for account in ACCOUNTS:
            self._stack.call("PUT", f"/paper/faults/{account}", faults)
        return "lost answers"

    def end(self) -> None:
        """Let everybody run, and the venue be well."""
        self._stack.wait_ready(RECOVERY_SECONDS_MAX)
        for account in ACCOUNTS:
            self._stack.call("DELETE", f"/paper/faults/{account}")

    def _await_canary(self, since_ms: int, what: str) -> None:
        """Wait until a canary has come through that was sung after the harm."""
        until = time.monotonic() + RECOVERY_SECONDS_MAX
        while time.monotonic() < until:
            with suppress(requests.RequestException, ValueError):
                answer = requests.get(self._stack.url("/readyz"), timeout=2)
                age_ms = answer.json().get("canary_age_ms")
                now_ms = time.time_ns() // 1_000_000
                if answer.status_code == 200 and now_ms - age_ms > since_ms:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{what}: not ready {RECOVERY_SECONDS_MAX} s later")

    def _pid(self, victim: str) -> int:
        pid: int = self._stack.run_file()["pids"][victim]
        return pid


def frozen(pid: int, seconds: float, *, whole: bool = True) -> None:
    """Stop a process, with its whole group if asked to, and let it go on after a time."""
    to = os.killpg if whole else os.kill
    with suppress(ProcessLookupError):
        to(pid, signal.SIGSTOP)
        time.sleep(seconds)
    with suppress(ProcessLookupError):
        to(pid, signal.SIGCONT)
