"""What a request learns about its viewer before candidates are sought."""
