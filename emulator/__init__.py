"""A local exchange that speaks the wire protocols of real crypto exchanges."""

__version__ = "0.1.0"
