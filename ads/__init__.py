"""Ads: campaigns, the auction, delivery, and the blending of ads into a page of posts."""
