"""An announced upload: the event's key and version are found however its sender writes them."""

from urllib.parse import quote_plus

import pytest

from tasks.core.errors import BadRequest
from tasks.core.models.location import Location
from tasks.lifecycle.announced import Announced, pin

KEYS = [
    "with space.jpg",
    "a+b.jpg",
    "100%.jpg",
    "already%20encoded.jpg",
    "🦊 im Wald.jpg",
    "../../etc/passwd.jpg",
    "a&b=c;d,e'f\"g.jpg",
    "k" * 1020 + ".jpg",
]


@pytest.mark.parametrize("key", KEYS, ids=[key[:24] for key in KEYS])
@pytest.mark.parametrize("encode", [str, quote_plus], ids=["as it is", "encoded"])
def test_any_key_is_found_however_it_is_written(world, key, encode):
    event = world.upload(key)
    event["detail"]["object"]["key"] = encode(key)
    head = pin(world.store, Announced.parse(event))
    assert head.location == Location("inbox", key, event["detail"]["object"]["version-id"])


def test_a_key_that_looks_encoded_is_not_taken_for_its_neighbour(world):
    plain, encoded = world.upload("a b.jpg", b"one"), world.upload("a+b.jpg", b"two")
    for event, key in ((plain, "a b.jpg"), (encoded, "a+b.jpg")):
        assert pin(world.store, Announced.parse(event)).location.key == key
        del event["detail"]["object"]["version-id"]
        assert pin(world.store, Announced.parse(event)).location.key == key


@pytest.mark.parametrize("event", [None, [], {}, {"detail": {}}, {"detail": {"bucket": "inbox", "object": {"key": "a"}}}])
def test_what_is_no_event_of_s3_is_refused(event):
    with pytest.raises(BadRequest, match=r"detail\.object\.key"):
        Announced.parse(event)
