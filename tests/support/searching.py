"""How properties are searched for examples that break them: always the same, or new ones."""

from hypothesis import HealthCheck, settings

#: The profile that tries the same examples each time: a change is judged by what it changes.
SAME = "same"

#: Profiles that try new examples → how many. `few` is a part of every `make test`.
NEW = {"few": 15, "search": 500}

#: Said beneath a failure: nobody may take it for chance.
FOUND = """\
A new example broke a property: that is a find, not an accident. It stands above; the line
@reproduce_failure(...), put over the test, repeats it. Mend what it shows; keep it as a test."""


def register_profiles() -> None:
    """Make the profiles known, and take the one that never changes its mind.

    A busy machine must not fail a property that holds: there are no deadlines.
    """
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile(SAME, patient, max_examples=50, derandomize=True)
    for name, count in NEW.items():
        settings.register_profile(name, patient, max_examples=count, print_blob=True)
    settings.load_profile(SAME)


def times(factor: float) -> settings:
    """Return settings for a test that wants more or fewer examples than others do."""
    return settings(max_examples=max(1, int(settings().max_examples * factor)))
