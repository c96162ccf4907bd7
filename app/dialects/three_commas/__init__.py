"""SmartTrades of version 1 as 3Commas takes them (SmartTrades Api, docs revision e5a406c)."""
