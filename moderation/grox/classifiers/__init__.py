"""The models behind the screening steps: what they read, what they answer, where they are kept."""
