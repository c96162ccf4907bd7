"""How the paper venue fills orders: pure functions over its accounts and a quote."""
