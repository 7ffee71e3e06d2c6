"""A second calculator of outcomes: slow, naive, written from the law's text without reading services/domain.

It shares no code with the product and knows no event model: it reads canonical JSON. Where it differs from the
product, one of the two has misread the law.
"""
