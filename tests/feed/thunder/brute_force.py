"""Thunder's rules written the slow, obvious way: the oracle for the store's tests."""

from dataclasses import dataclass, field


@dataclass
class BruteForce:
    """Dictionaries and loops, post by post; same limits, no tricks."""

    limits: object
    posts: dict = field(default_factory=dict)
    timelines: dict = field(default_factory=dict)  # (author, name) -> ids, oldest first
    tombstones: dict = field(default_factory=dict)

    def insert(self, rows, now_ms):
        for row in sorted(rows, key=lambda row: row[2]):
            post_id, author, created, parent, reply_user, source, _, _, video = row
            known = post_id in self.posts or post_id in self.tombstones
            if known or not now_ms - self.limits.retention_ms <= created <= now_ms + 5_000:
                continue
            kind = "repost" if source else "reply" if parent or reply_user else "original"
            of = self.posts.get(source)
            has_video = bool(video) if kind != "reply" else False
            if kind == "repost" and of and of["kind"] == "original" and of["video"]:
                has_video = True
            self.posts[post_id] = {"row": row, "kind": kind, "video": has_video}
            name = "original" if kind == "original" else "secondary"
            self.timelines.setdefault((author, name), []).append(post_id)
            if has_video:
                self.timelines.setdefault((author, "video"), []).append(post_id)

    def delete(self, post_id, now_ms):
        self.posts.pop(post_id, None)
        self.tombstones[post_id] = now_ms

    def lookup(self, viewer, following, exclude, wanted, videos, now_ms):
        caps = {
            "original": self.limits.originals_per_author,
            "secondary": self.limits.replies_per_author,
            "video": self.limits.videos_per_author,
        }
        found = []
        for name in ["video"] if videos else ["original", "secondary"]:
            for author in set(following):
                entries = [i for i in reversed(self.timelines.get((author, name), [])) if i not in exclude]
                kept = [
                    i
                    for i in entries[: self.limits.scan_per_author]
                    if self.allowed(i, name, viewer, following, now_ms)
                ]
                found += kept[: caps[name]]
        found.sort(key=lambda i: (self.posts[i]["row"][2], i), reverse=True)
        return found[:wanted]

    def alive(self, post_id, now_ms):
        post = self.posts.get(post_id)
        return post if post and post["row"][2] >= now_ms - self.limits.retention_ms else None

    def allowed(self, post_id, name, viewer, following, now_ms):
        post = self.alive(post_id, now_ms)
        if not post:
            return False
        _, _, _, parent_id, reply_user, _, source_user, conversation, _ = post["row"]
        if post["kind"] == "repost" and source_user == viewer:
            return False
        if name != "secondary" or not parent_id or post["kind"] == "repost":
            return True
        parent = self.alive(parent_id, now_ms)
        if not parent:
            return False
        if parent["kind"] == "original":
            return True
        return bool(conversation) and parent["row"][3] == conversation and reply_user in following
