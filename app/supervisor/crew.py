"""All children of a run: started in order, kept alive, stopped in order."""

from collections.abc import Callable, Iterable, Mapping

from app.supervisor.children import Child
from app.supervisor.data_dir import last_lines
from app.supervisor.plan import kind
from app.supervisor.refusals import CannotStart
from app.supervisor.signals import Interrupted, Signals

#: Who is asked to stop together. First nothing new comes in, then the rest ends what it has begun;
#: store and broker are last, as everybody needs them to the end.
STOP_ORDER = (("web",), ("beat", "flower", "worker"), ("redis", "broker"))
#: A child that dies this often before the run is ready will not get better.
DEATHS_MAX = 5

_LOOK_SECONDS = 0.05


class Crew:
    """The children of a run, in the order of their start."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._children: list[Child] = []

    def join(self, child: Child) -> None:
        """Take in a child."""
        self._children.append(child)

    def start(self, children: Iterable[Child]) -> None:
        """Start these and take them in."""
        for child in children:
            self.join(child)
            child.start()

    def names(self) -> set[str]:
        """Return the name of each child."""
        return {each.program.name for each in self._children}

    def pids(self) -> Mapping[str, int]:
        """Return the main process of each child that runs."""
        return {each.program.name: each.pid for each in self._children if each.pid is not None}

    def tend(self) -> None:
        """Restart what has died, and tell."""
        for child in self._children:
            if manner := child.tend():
                log = child.program.log
                self._say(f"{child.program.name} {manner}; it is started again. See {log}")

    def check_start(self) -> None:
        """See to it that a start which cannot succeed ends.

        Raises:
            CannotStart: a child died again and again.
        """
        for child in self._children:
            if child.deaths >= DEATHS_MAX:
                name, log = child.program.name, child.program.log
                raise CannotStart(
                    f"{name} dies again and again. {log} ends with:\n{last_lines(log)}"
                )

    def stop(self, signals: Signals) -> bool:
        """Stop everything in order.

        Returns:
            Whether all of it could end by itself; a second interrupt kills what is left.
        """
        try:
            for kinds in STOP_ORDER:
                self._stop(
                    [each for each in self._children if kind(each.program.name) in kinds], signals
                )
        except Interrupted:
            self._say("Killing what is left.")
            return False
        finally:
            for child in reversed(self._children):
                child.kill()
        return True

    def _stop(self, children: list[Child], signals: Signals) -> None:
        for child in children:
            child.ask_to_stop()
        while waiting := [child for child in children if not child.has_ended()]:
            signals.pause(_LOOK_SECONDS)
            children = waiting
