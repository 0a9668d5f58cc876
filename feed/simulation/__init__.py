"""The demo world: a population whose likes and dislikes are known, and the history it leaves.

The generator (topics, people, graph, authoring, behaviour, history, text, pictures) is pure
NumPy and knows no Django; `load` writes its result into the database, `live` keeps it going.
"""
