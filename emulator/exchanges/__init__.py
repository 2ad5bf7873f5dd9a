"""The dialects: one package per exchange, each translating its wire to the core and back."""
