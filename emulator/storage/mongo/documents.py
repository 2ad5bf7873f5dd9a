"""What the journal keeps in MongoDB, as Beanie documents.

Every id is a joined key, so that the index which MongoDB has of itself is the only one. An entry's
batch is one blob: as nested documents it would cost four times as much to write.
"""

from __future__ import annotations

from beanie import Document


class JournalStream(Document):
    """Says which entries are a sandbox's. It changes as one, and only from the revision that was read.

    id: the sandbox's name. stem: what the ids of its entries begin with; None while there are none.
    draft: the stem of what is being made, and takes their place when it is whole. old: the stems of
    what was forgotten, and may still be there.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    revision: int
    stem: str | None
    draft: str | None
    old: list[str]

    class Settings:
        name = "journal_streams"


class JournalEntry(Document):
    """One entry, or the tombstone at the end of a stream that was forgotten.

    id: `<stem>/<sequence>`, which is the fence as well: it can be taken once. writer: who wrote it, for
    people. batch: the entry, or its beginning. parts: into how many documents it was cut, of which this
    is the first; 0 for a tombstone. attempt: what the ids of the others name.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    writer: str
    batch: bytes
    parts: int
    attempt: str

    class Settings:
        name = "journal_entries"


class JournalPart(Document):
    """A further piece of an entry that is too large for one document.

    id: `<entry>/<attempt>/<number>`. Pieces are written before their entry, so an attempt that fails
    leaves pieces that no entry names; they go with the stream.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    content: bytes

    class Settings:
        name = "journal_parts"
