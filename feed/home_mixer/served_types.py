"""Which source a candidate came from, in the published words."""

IN_NETWORK = "ForYouInNetwork"
RANKED_FOLLOWING = "RankedFollowing"
PHOENIX = "ForYouPhoenixRetrieval"
POPULAR = "ForYouTweetMixer"
PUSH_TO_HOME = "ForYouPushToHome"
