"""The Home Mixer: what a For You page is made of, stage by stage.

Folder and file names follow the published tree, "tweet" read as "post".
"""
