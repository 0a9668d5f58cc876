"""What can go wrong while starting things; shown to people as one line."""


class ServiceError(Exception):
    """A service cannot be started or reached. The message says why and what helps."""
