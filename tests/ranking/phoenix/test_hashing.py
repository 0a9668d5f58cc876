import numpy as np
import pytest

from ranking.phoenix.config import EntityHash
from ranking.phoenix.hashing import hash_ids, signed_ids, unified_rows
from tests.ranking.phoenix.small import small_config

ENTITY = EntityHash((1852108266, -7), (1935840681, 167407236), 2859568897, 512)


def wrap(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


@pytest.mark.parametrize("x", [1, -1, 2_055_219_033_753_412_677, (1 << 63) - 1, -(1 << 63)])
def test_the_product_wraps_and_the_modulus_is_never_negative(x):
    expected = [
        wrap(wrap(x * scale) + bias) % ENTITY.modulus % (ENTITY.vocab_size - 1) + 1
        for scale, bias in zip(ENTITY.scales, ENTITY.biases, strict=True)
    ]
    assert hash_ids(np.array(x), ENTITY).tolist() == expected


def test_nobody_has_row_zero_and_nobody_else_does():
    rows = hash_ids(np.arange(0, 5000), ENTITY)
    assert (rows[0] == 0).all()
    assert rows[1:].min() >= 1
    assert rows.max() <= ENTITY.vocab_size - 1


def test_unsigned_ids_keep_their_bits():
    assert signed_ids(np.array([2**64 - 1], dtype=np.uint64)).tolist() == [-1]


def test_unified_rows_stack_the_tables_after_the_reserved_ones():
    config = small_config("ranker")
    rows = np.array([0, 5])
    assert unified_rows(rows, entity="user", config=config).tolist() == [0, 70]
    assert unified_rows(rows, entity="item", config=config).tolist() == [0, 70 + config.user_hash.vocab_size]
    both = config.user_hash.vocab_size + config.item_hash.vocab_size
    assert unified_rows(rows, entity="author", config=config).tolist() == [0, 70 + both]
