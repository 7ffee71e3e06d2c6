"""The correlator: takes events off the bus into the store, and resolves who is who and what status follows.

Three short transactions, in this order: append (events, keys, claims, position), compare (claims that may be one
person's by name), resolve (persons and changes). Any number of correlators may run; each may die at any point.
"""
