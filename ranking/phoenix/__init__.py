"""The Phoenix models (torch and numpy only): hashing, transformer, ranker, two towers, artifacts.

Twin of the published `phoenix/` folder. One code, two configurations: `upstream` is the published
model, `xsocial` adds a content embedding, live features and right-anchored positions.
"""
