"""Market streams of the futures sites."""
