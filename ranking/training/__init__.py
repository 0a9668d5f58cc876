"""From the logs of what people saw and did to a checkpoint and its figures."""
