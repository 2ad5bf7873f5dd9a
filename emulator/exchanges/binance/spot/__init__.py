"""Binance Spot: `/api/v3` and the `/sapi` endpoints that spot clients call."""
