"""Market streams as exchanges have them alike: when there is news, and what.

An exchange says what its streams are called, and how what they tell looks: a `render` for each source.
"""
