"""gRPC doors of the feed: the home mixer for other services, and Thunder as a process of its own.

Messages are described in `protos/`; `python -m feed.rpc.generate` makes the Python for them.
"""
