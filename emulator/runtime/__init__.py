"""Order and time: the only place that orders commands, keeps them, and tells of them.

A sandbox is one universe with one clock, one sequencer and one journal stream. Nothing here knows a
wire dialect or how a journal is stored.
"""
