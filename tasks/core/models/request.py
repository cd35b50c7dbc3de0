"""What several states pass to their tasks."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.core.errors import BadRequest
from tasks.core.models.item import Item
from tasks.core.models.media import Media
from tasks.core.models.review import Prepared


@dataclass(frozen=True)
class PreparedRequest:
    """What any state passes whose item was prepared."""

    item: Item
    media: Media

    @property
    def prepared(self) -> Prepared:
        """Raises BadRequest where nothing was made that a person could be shown."""
        if found := self.media.prepared:
            return found
        raise BadRequest(f"nothing was made of {self.item.id} that could be shown")
