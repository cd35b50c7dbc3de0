"""Secrets are taken out wherever they stand, and nothing else is changed."""

import json

import pytest

from tasks.core.scrub import REMOVED, scrub

CANARY = "canary-token-AQCEAAAAKgAAAAM"


def wrapped(value, times):
    for _ in range(times):
        value = json.dumps({"inner": value})
    return value


@pytest.mark.parametrize("name", ["token", "taskToken", "TaskToken", "task_token", "secret", "Authorization"])
@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_a_secret_is_found_at_any_depth(name, depth):
    assert CANARY not in json.dumps(scrub({"input": wrapped({name: CANARY, "kept": "kept"}, depth)}))
    assert "kept" in json.dumps(scrub({"input": wrapped({"kept": "x"}, depth)}))


def test_a_known_secret_goes_from_everywhere():
    found = scrub({"a": {"token": CANARY}, "b": f"error near {CANARY}!", "c": [json.dumps([CANARY])], CANARY: 1})
    assert CANARY not in json.dumps(found)
    assert found["b"] == f"error near {REMOVED}!"


@pytest.mark.parametrize(
    "text", ['{"token": "%s', '{"Body": "{\\"taskToken\\": \\"%s\\"', 'Input was {"x": 1, "token":"%s"} and broke']
)
def test_json_that_was_cut_off_is_cleaned_too(text):
    assert CANARY not in scrub(text % CANARY)


def test_a_signed_address_loses_its_signature():
    url = "https://s3/x?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=abcdef&X-Amz-Expires=900"
    assert scrub(url) == f"https://s3/x?X-Amz-Credential={REMOVED}&X-Amz-Signature={REMOVED}&X-Amz-Expires=900"


@pytest.mark.parametrize(
    "value",
    [{"a": [1, 2.5, None, True]}, '{"spaces" : "stay" }', "[not json", '"', "tokens of thanks", {"token": ""}, {"token": None}],
)
def test_what_is_no_secret_stays_as_it_is(value):
    assert scrub(value) == value


def test_a_short_value_under_a_secrets_name_does_not_eat_other_words():
    assert scrub({"token": "the", "text": "the end"}) == {"token": REMOVED, "text": "the end"}
