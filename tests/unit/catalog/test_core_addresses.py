"""Mail addresses: one normal form for each mailbox, and a reason for whatever Amazon SES could not send to."""

import pytest

from tasks.core.addresses import normal_address
from tasks.core.errors import BadRequest


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace@EXAMPLE.com\n", "ada.lovelace@example.com"),
        ("ada@example.com\u00a0", "ada@example.com"),
        ("ada+gallery@example.co.uk", "ada+gallery@example.co.uk"),
        ('"Ada"@example.com', "ada@example.com"),  # RFC 5321, 4.1.2: a quote that is not needed makes no other mailbox
        ('"Ada Lovelace"@example.com', '"ada lovelace"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),  # RFC 3492's own example of an IDN
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER\u3002example", "ada@xn--bcher-kva.example"),  # RFC 3490, 3.1: an ideographic full stop is a dot
        ("o'hara@example.com", "o'hara@example.com"),
    ],
)
def test_however_it_is_typed_it_is_the_same_mailbox(typed: str, address: str) -> None:
    assert normal_address(typed) == address
    assert normal_address(address) == address


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "give it plainly"),
        ("ada", "give it plainly"),
        ("@example.com", "give it plainly"),
        ("ada@", "give it plainly"),
        ("ada@@example.com", "give it plainly"),
        ("Ada <ada@example.com>", "give it plainly"),
        ("ada@example.com,bo@example.com", "give it plainly"),
        ("ada@example.com\r\nBcc: eve@example.com", "printable ASCII"),
        ("ada@example.com\r\nBcc: eve", "give it plainly"),
        ("ada..l@example.com", "give it plainly"),
        ("jösé@example.com", "printable ASCII"),
        ('"a\x1b[2J"@example.com', "printable ASCII"),
        ("ada@localhost", "after the @ comes a domain"),
        ("ada@[192.0.2.7]", "after the @ comes a domain"),
        ("ada@-example.com", "after the @ comes a domain"),
        ("ada@exam_ple.com", "after the @ comes a domain"),
        ("ada@straße.example", "xn-- form"),
        ("ada@" + "ü" * 70 + ".example", "there is no such domain"),
        ("a" * 65 + "@example.com", "64 of them before the @"),
        ("a@" + "b." * 130 + "example", "it may have 254 characters"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(typed: str, words: str) -> None:
    with pytest.raises(BadRequest, match="is not a mail address") as refused:
        normal_address(typed)
    assert words in refused.value.reason
    assert refused.value.reason.isprintable()
