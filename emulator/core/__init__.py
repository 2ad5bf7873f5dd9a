"""Pure trading rules: no clock, no randomness, no IO, no exchange's name.

The doors of this package are `commands`, `events`, `rejections`, `orders`, `order_lists`, `fees`, `rules`,
`instruments`, `contracts`, `positions`, `numbers`, `ids`, `shapes`, `markets`, `marks`, `history`, `audit`,
`views`, `statement`, `snapshot` and `engine`; everything else is importable from inside the core only. An
`Order` that a view hands out is read, never changed.
"""
