"""Orders as apisify takes them, `POST /v1/order` (apisify spec)."""
