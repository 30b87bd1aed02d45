"""Reading what people push: bytes of CSV, JSON or NDJSON to rows that know their place. Pure; the store stores.

``stream`` turns chunks of bytes into lines, ``delimited`` and ``structured`` turn those into rows, ``rows`` offers
both alike; ``points`` is the fast way for the bulk. ``accounts``, ``contacts`` and ``events`` say what a row may hold.
"""
