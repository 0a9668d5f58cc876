"""REST resources of people: accounts, relationships, follows, lists, mutes and blocks."""
