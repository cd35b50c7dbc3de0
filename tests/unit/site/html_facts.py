"""Reads a page back: its tags, its links, its words; refuses one that is not well formed."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# SVG's own, closed within their tag.
DRAWN = {"path", "circle", "rect"}
LINKS = {"href", "src", "poster", "action", "data-src", "data-film", "data-glimpse", "data-live", "data-sign"}


class Page(HTMLParser):
    """One page. Raises AssertionError where a tag is closed that is not open, or an attribute stands twice."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute stands twice in <{tag}>: {names}"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in DRAWN, f"<{tag}/> is no empty element in HTML"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes nothing; open are {self._open}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """Attributes of every `tag` that has the attributes `wanted`."""
        found = [attributes for name, attributes in self.tags if name == tag]
        return [each for each in found if all(each.get(name) == value for name, value in wanted.items())]

    def one(self, tag: str, **wanted: str) -> dict[str, str]:
        found = self.all(tag, **wanted)
        assert len(found) == 1, f"{len(found)} times <{tag} {wanted}>"
        return found[0]

    def meta(self, name: str) -> str:
        """The content of a meta tag by its name or property."""
        found = [a["content"] for _, a in self.tags if name in (a.get("name"), a.get("property"))]
        assert len(found) == 1, f"{len(found)} times {name}"
        return found[0]

    def links(self) -> list[str]:
        """Every address that the page names."""
        found = [value for _, each in self.tags for name, value in each.items() if name in LINKS]
        sets = [value for _, each in self.tags for name, value in each.items() if name in ("srcset", "data-srcset")]
        return found + [part.split()[0] for value in sets for part in value.split(",")]
