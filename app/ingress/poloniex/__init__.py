"""The Poloniex dialect over HTTP (docs/poloniex.md)."""
