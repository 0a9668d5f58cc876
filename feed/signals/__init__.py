"""Negative signals: what one person said no to, and what many such noes do to an author's reach.

``voices`` weighs, ``standing`` keeps the outcome for the ranking, ``own`` is the person's own list.
See decision 5 in the documentation.
"""
