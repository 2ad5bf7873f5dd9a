"""WebSocket APIs: requests over a socket, answered by the rows of REST, as far as the products have it alike.

A product says which rows its methods are, which methods there are beside, and what its socket is like
(`offer.Offer`).
"""
