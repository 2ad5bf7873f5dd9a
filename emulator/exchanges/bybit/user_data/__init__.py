"""What happens to accounts, told on private topics to those who listen (docs/v5/websocket/private)."""
