"""Settings in layers: `base` holds everything, the environments change what differs.

`env` is the only module that reads environment variables; `.env.example` lists them all.
"""
