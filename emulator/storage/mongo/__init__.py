"""The journal and the archive in MongoDB. Importing this takes some tenths of a second, so it is imported
when chosen."""

from emulator.storage.mongo.archive import MongoArchive
from emulator.storage.mongo.connection import MongoAddressInvalid
from emulator.storage.mongo.journal import MongoJournal

__all__ = ["MongoAddressInvalid", "MongoArchive", "MongoJournal"]
