"""Market streams: what is said of the market without being asked for."""
