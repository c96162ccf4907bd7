"""The Hummingbot dialect over HTTP (docs/hummingbot.md)."""
