"""Embedded PostgreSQL and Valkey, and the supervisor that runs them and everything else.

For development, tests and demonstrations. It needs neither Django nor a database, because it is
what makes them work. Production names its own stores by DATABASE_URL and REDIS_URL.
"""
