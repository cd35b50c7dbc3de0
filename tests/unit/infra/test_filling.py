"""After a deploy the site is filled, and whoever deploys hears when its pages could not be made."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from infra.deploy import stacks
from infra.deploy.deployed import Deployed
from infra.dev import assets
from infra.errors import Failed
from tasks.site import static_version


class Account:
    """An AWS account with a pipeline stack, whose functions give this answer; what they were asked."""

    def __init__(self, world: Any, answer: dict[str, Any], **more: str) -> None:
        self.world, self.answer, self.more = world, answer, more
        self.asked: list[tuple[str, Any]] = []

    def client(self, service: str) -> Any:
        return self if service in ("lambda", "cloudformation") else self.world.aws.client(service)

    def describe_stack_resource(self, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
        return {"StackResourceDetail": {"PhysicalResourceId": f"{StackName}/{LogicalResourceId}"}}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.asked.append((FunctionName, json.loads(Payload)))
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **self.more}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The site's static files as the bundler leaves them."""
    folder = tmp_path / "static" / static_version()
    folder.mkdir(parents=True)
    (folder / "site.css").write_text("body {}")
    monkeypatch.setattr(assets, "_build", lambda: tmp_path)


def filled(world: Any, account: Account) -> list[str]:
    """The keys in the site bucket after it."""
    target = Deployed("green-pipeline")
    target.__dict__.update(aws=account, settings=world.settings)
    stacks.fill(target, "https://gallery.example")
    return sorted(world.store.keys(world.settings.site_bucket, ""))


@pytest.mark.usefixtures("built")
def test_the_site_gets_its_files_and_rebuildindexes_makes_the_pages(world: Any) -> None:
    account = Account(world, {"written": 2})
    assert filled(world, account) == ["404.html", f"static/{static_version()}/site.css"]
    assert account.asked == [("green-pipeline/RebuildIndexesFunction", {"all": True})]


@pytest.mark.usefixtures("built")
def test_pages_that_could_not_be_made_are_said_in_the_functions_words(world: Any) -> None:
    account = Account(world, {"errorType": "AccessDenied", "errorMessage": "no PutObject"}, FunctionError="Unhandled")
    with pytest.raises(Failed, match="RebuildIndexes failed: AccessDenied: no PutObject"):
        filled(world, account)
