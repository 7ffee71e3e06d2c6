"""The correlator: takes events off the bus into the store, and settles who is who and what is so.

Three short transactions, in this order: append (events, keys, claims, position), look (claims that may be one
person's by name), settle (persons and changes). Any number of correlators may run; any of them may die at any point.
"""
