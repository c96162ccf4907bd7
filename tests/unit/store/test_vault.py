"""Secrets: sealed where they must be read again, hashed where they need only be compared."""

import hashlib
import hmac

import pytest
from cryptography.fernet import Fernet

from app.domain.errors import StoreError
from app.store.memory.vault import Vault

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRETS = {"apiKey": "key", "secret": "s3cret"}


def test_what_was_sealed_can_be_read_again() -> None:
    vault = Vault([NEW])

    assert vault.decrypt("one", vault.encrypt("one", SECRETS)) == SECRETS


def test_a_seal_shows_nothing() -> None:
    sealed = Vault([NEW]).encrypt("one", SECRETS)

    assert "s3cret" not in sealed
    assert sealed != Vault([NEW]).encrypt("one", SECRETS)


def test_a_seal_belongs_to_its_owner() -> None:
    vault = Vault([NEW])

    with pytest.raises(StoreError, match="secrets of one were found under two"):
        vault.decrypt("two", vault.encrypt("one", SECRETS))


@pytest.mark.parametrize("sealed", ["", "nonsense", Vault([OLD]).encrypt("one", SECRETS)])
def test_what_another_key_has_sealed_cannot_be_read(sealed: str) -> None:
    with pytest.raises(StoreError, match="sealed with another key"):
        Vault([NEW]).decrypt("one", sealed)


def bare_digest(key: str, secret: str) -> str:
    """Return what earlier releases kept of a token."""
    hash_key = hashlib.sha256(b"hookfill hash " + key.encode()).digest()
    return hmac.new(hash_key, secret.encode(), hashlib.sha256).hexdigest()


def test_keys_can_be_rotated() -> None:
    before, both, after = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])
    sealed, hashed = before.encrypt("one", SECRETS), before.hashed("one", "token")

    assert both.decrypt("one", sealed) == SECRETS
    assert both.matches("one", "token", hashed)
    assert after.decrypt("one", both.renewed("one", sealed)) == SECRETS
    assert after.matches("one", "token", both.renewed("one", hashed))


@pytest.mark.parametrize("keys", [[OLD], [NEW, OLD], [OLD, NEW]])
def test_a_digest_of_an_earlier_release_needs_its_key_until_it_is_sealed(keys: list[str]) -> None:
    bare = bare_digest(OLD, "token")
    vault = Vault(keys)

    renewed = vault.renewed("one", bare)

    assert vault.matches("one", "token", bare)
    assert not vault.matches("one", "Token", bare)
    assert not Vault([NEW]).matches("one", "token", bare)
    assert Vault(keys[:1]).matches("one", "token", renewed)
    assert not Vault(keys[:1]).matches("one", "Token", renewed)


def test_what_has_the_newest_key_stays_as_it_is() -> None:
    vault = Vault([NEW, OLD])
    sealed, hashed = vault.encrypt("one", SECRETS), vault.hashed("one", "token")

    assert vault.renewed("one", sealed) == sealed
    assert vault.renewed("one", hashed) == hashed


def test_what_no_key_opens_is_not_renewed() -> None:
    with pytest.raises(StoreError, match="sealed with another key"):
        Vault([NEW]).renewed("one", Vault([OLD]).hashed("one", "token"))
    with pytest.raises(StoreError, match="secrets of one were found under two"):
        Vault([NEW, OLD]).renewed("two", Vault([OLD]).encrypt("one", SECRETS))


def test_a_hash_is_compared_and_shows_nothing() -> None:
    vault = Vault([NEW])
    kept = vault.hashed("one", "token")

    assert vault.matches("one", "token", kept)
    assert not vault.matches("one", "Token", kept)
    assert kept != vault.hashed("one", "token")
    assert not vault.matches("one", "token", None)
    with pytest.raises(StoreError, match="secrets of one were found under two"):
        vault.matches("two", "token", kept)
