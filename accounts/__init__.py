"""People and the social graph: users, follows, blocks, mutes, topics, preferences."""
