"""Phoenix: retrieval and ranking of posts, from training to serving."""
