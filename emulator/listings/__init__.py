"""What exchanges list, read alike: files of figures, checked, and instruments of the core made from them.

An exchange has a file of rows, and says in a struct of its own which figures its rows have beyond those that
all have (`rows.InstrumentRow`). What its wire shows of a symbol is a form of `listing.Listing`.
"""
