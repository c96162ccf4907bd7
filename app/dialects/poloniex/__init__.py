"""Spot orders and smart orders as the Poloniex API takes them (docs/poloniex.md)."""
