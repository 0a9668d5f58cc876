"""Posts and news sent while they happen, as Mastodon clients expect them: SSE and a websocket.

`streams` says what one may ask for, `entrance` who may come in, `connections` who is there,
`delivery` what the event log brings to whom. `sse` and `socket` are the two wires.
"""
