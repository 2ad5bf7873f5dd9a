"""What the Spot endpoints answer: one TypedDict per JSON object, with exactly its keys."""
