"""Sources of market prices, all behind `emulator.core.markets.Feed`."""
