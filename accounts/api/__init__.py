"""REST resources of people: accounts, relationships, follows, mutes and blocks."""
