"""Binance: what its products share, and one package per product."""
