"""Secrets: sealed where they must be read again, hashed where they need only be compared."""

import re

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


def test_keys_can_be_rotated() -> None:
    before, after = Vault([OLD]), Vault([NEW, OLD])

    assert after.decrypt("one", before.encrypt("one", SECRETS)) == SECRETS
    assert after.matches("token", before.digest("token"))


def test_a_digest_is_compared_and_never_read() -> None:
    vault = Vault([NEW])
    digest = vault.digest("token")

    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    assert vault.matches("token", digest)
    assert not vault.matches("Token", digest)
    assert Vault([OLD]).digest("token") != digest
