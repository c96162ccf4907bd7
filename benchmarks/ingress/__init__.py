"""How many webhooks a second are acknowledged, and how fast, beside a naive app."""
