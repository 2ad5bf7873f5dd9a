"""What the products say of a market alike: how they name intervals and time zones, and show statistics."""
