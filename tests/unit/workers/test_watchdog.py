"""When a thread counts as stuck."""

import threading

from workers.watchdog import Watchdog

LIMIT = 60.0


class Looks:
    """Looks at a watchdog once a second."""

    def __init__(self) -> None:
        self.watchdog = Watchdog(LIMIT)
        self.seconds = 1_000.0
        self.watchdog.look(self.seconds)

    def after(self, seconds: int) -> bool:
        """Return whether a thread is stuck by the last of the looks of so many seconds."""
        found = False
        for _ in range(seconds):
            self.seconds += 1
            found = self.watchdog.look(self.seconds)
        return found


def test_one_who_does_nothing_is_not_stuck() -> None:
    assert not Looks().after(1_000)


def test_one_who_ends_is_not_stuck() -> None:
    looks = Looks()

    for _ in range(20):
        with looks.watchdog.watching():
            assert not looks.after(50)


def test_one_step_that_does_not_end_is_stuck() -> None:
    looks = Looks()

    with looks.watchdog.watching():
        assert not looks.after(59)
        assert looks.after(3)


def test_one_who_goes_on_is_not_stuck() -> None:
    looks = Looks()

    with looks.watchdog.watching():
        for _ in range(20):
            assert not looks.after(50)
            looks.watchdog.alive()


def test_a_thread_is_stuck_while_others_go_on() -> None:
    looks = Looks()
    inside, end = threading.Event(), threading.Event()

    def hang() -> None:
        with looks.watchdog.watching():
            inside.set()
            end.wait(20)

    thread = threading.Thread(target=hang)
    thread.start()
    inside.wait(20)
    with looks.watchdog.watching():
        looks.after(59)
        looks.watchdog.alive()
        assert looks.after(3)
    end.set()
    thread.join()
    assert not looks.after(1_000)


def test_what_a_process_slept_through_is_held_against_nobody() -> None:
    looks = Looks()

    with looks.watchdog.watching():
        looks.seconds += 3_600
        assert not looks.after(50)
        assert looks.after(20)


def test_a_sign_of_life_of_one_who_is_not_watched_means_nothing() -> None:
    looks = Looks()

    looks.watchdog.alive()

    assert not looks.after(1_000)
