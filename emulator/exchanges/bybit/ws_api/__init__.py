"""Orders over a WebSocket: the rows of REST under other names, asked by a connection whose owner is known."""
