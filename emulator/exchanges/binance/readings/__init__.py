"""What is read of a market, whichever product shows it and whether REST or a stream does."""
