"""Which source a candidate came from, in the published words."""

IN_NETWORK = "ForYouInNetwork"
RANKED_FOLLOWING = "RankedFollowing"
PHOENIX = "ForYouPhoenixRetrieval"
PHOENIX_MOE = "ForYouPhoenixRetrievalMoe"
SIMCLUSTERS = "ForYouSimclusters"
POPULAR = "ForYouTweetMixer"
PUSH_TO_HOME = "ForYouPushToHome"
FOLLOWING = "Following"  # ours: the page in place of one that could not be made
