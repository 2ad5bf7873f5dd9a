"""Public streams, and the connection that all sockets are: public ones, private ones, and that of orders.

A socket is an `offer.Offer`: how it speaks, which topics it knows, and what else may be asked for over it.
"""
