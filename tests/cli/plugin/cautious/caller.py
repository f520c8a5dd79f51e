"""The built-in caller without the calls that have a filter."""

from lingqu.call import shard as built_in

version = "1.0"


def call_shard(shard):
    """Call a shard; see `lingqu.call.shard.call_shard`."""
    covered, lines = built_in.call_shard(shard)
    return covered, [line for line in lines if line.split("\t")[6] == "PASS"]
