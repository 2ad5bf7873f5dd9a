"""Binance USD-M (`/fapi`) and COIN-M (`/dapi`) futures."""
