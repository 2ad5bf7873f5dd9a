"""Bodies of answers, as the documents have them."""
