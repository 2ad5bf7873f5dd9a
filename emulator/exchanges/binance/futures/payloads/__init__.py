"""What the futures endpoints answer, by the module that answers it."""
