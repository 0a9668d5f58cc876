"""Reads in SQL: packed columns, types that survive the binary format, statements planned once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from xsocial.kernel import clock, sql
from xsocial.kernel.models import OutboxEvent


@pytest.mark.django_db
def test_values_come_back_as_they_went(noon):
    params = {"whole": 7_000_000_000, "text": "naïve", "none": None, "flag": True, "now": clock.now(), "ids": "{1,2}"}
    found = sql.row(
        "SELECT %(whole)s::bigint, %(text)s::text, %(none)s::text, %(flag)s::boolean, %(now)s::timestamptz,"
        " %(ids)s::bigint[], %(now)s::date, '\\x00ff'::bytea, 0.5::real, NULL::bytea",
        params,
    )
    now = params["now"]
    assert found == (7_000_000_000, "naïve", None, True, now, [1, 2], now.date(), b"\x00\xff", 0.5, None)


@pytest.mark.django_db
def test_packed_columns_are_arrays():
    found = sql.row(f"SELECT {sql.packed('n')} FROM unnest(%(ids)s::bigint[]) AS n", {"ids": sql.bigints([3, -1, 2])})
    assert sql.unpacked(found[0]).tolist() == [3, -1, 2]
    assert sql.unpacked(None).tolist() == []


@pytest.mark.django_db
def test_a_statement_is_planned_once_for_all_values():
    query = "SELECT %(n)s::bigint AS planned_once"
    with CaptureQueriesContext(connection) as asked:
        assert [sql.row(query, {"n": n})[0] for n in range(5)] == [0, 1, 2, 3, 4]
    assert len(asked) == 5
    prepared = sql.row("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%AS planned_once'", {})
    assert prepared == (1,)


@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 1, 3])
def test_rows_are_stored_in_their_order_and_read_back_as_objects(noon, number):
    rows = [OutboxEvent(name="test", version=n, payload={"n": [n, None]}, created_at=noon) for n in range(number)]
    sql.insert(rows)
    found = sql.rows(f"SELECT {sql.columns(OutboxEvent, 'e')}, 'more' FROM kernel_outboxevent e ORDER BY id", {})
    objects = [sql.made(OutboxEvent, row) for row in found]
    assert objects == list(OutboxEvent.objects.order_by("pk"))
    assert [(row.version, row.payload, row.created_at, row.sent_at) for row in objects] == [
        (n, {"n": [n, None]}, noon, None) for n in range(number)
    ]
    assert not any(row._state.adding for row in [*rows, *objects])


@pytest.mark.django_db
def test_a_statement_says_how_many_rows_it_changed():
    sql.insert([OutboxEvent(name="test", version=1, payload={}, created_at=clock.now())])
    change = "UPDATE kernel_outboxevent SET version = version + %(by)s WHERE name = %(name)s"
    assert sql.execute(change, {"by": 2, "name": "test"}) == 1
    assert sql.execute(change, {"by": 2, "name": "other"}) == 0
    assert OutboxEvent.objects.get().version == 3
