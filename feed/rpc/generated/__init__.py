"""Made from `protos/` by `python -m feed.rpc.generate`. Not edited by hand."""
