"""Market streams, as far as the products have them alike: sockets and requests, and when there is news.

A product says what its streams are called (`parse`), how what they tell looks (a `render` for each source),
and what its sockets are like (`connection.Offer`).
"""
