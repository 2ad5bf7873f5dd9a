"""What is read of a market and told of it, whatever exchange shows it: values, and no wire words."""
