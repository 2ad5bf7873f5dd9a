"""Streams: what is said of something without being asked for, to whoever subscribed, by whatever exchange."""
