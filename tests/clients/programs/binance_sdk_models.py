"""A look at what the typed models of the exchange's modular SDKs hold, whichever of them it is."""

import contextlib
import logging
import warnings

from pydantic import BaseModel


def held_whole(name, answer, absent, unknown):
    """The answer, once it is certain that it has what its model declares, and nothing else.

    absent: declared fields that need not be there. unknown: others that may be.
    """
    missing, extra = set(), set()
    _look(answer, missing, extra)
    missing -= set(absent)
    extra -= set(unknown)
    assert not missing, f"{name} lacks {sorted(missing)}"
    assert not extra, f"{name} has {sorted(extra)} too"
    return answer


def _look(value, missing, extra):
    """Gathers the declared fields that are not there, and the keys that are and should not be."""
    if isinstance(value, list):
        for each in value:
            _look(each, missing, extra)
        return
    if not isinstance(value, BaseModel):
        return
    if hasattr(value, "actual_instance"):
        _look(value.actual_instance, missing, extra)
        return
    for name, field in type(value).model_fields.items():
        held = getattr(value, name)
        if name == "additional_properties":
            extra.update(held)
        elif held is None:
            missing.add(field.alias or name)
        else:
            _look(held, missing, extra)


@contextlib.contextmanager
def quietly():
    """Fails on any warning: the SDK logs one where an answer does not fit its model."""
    records = []

    class Keeper(logging.Handler):
        def emit(self, record):
            records.append(record.getMessage())

    keeper = Keeper(logging.WARNING)
    logging.getLogger().addHandler(keeper)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        logging.getLogger().removeHandler(keeper)
    assert not records, records
