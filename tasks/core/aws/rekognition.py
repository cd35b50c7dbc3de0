"""Rekognition: labels and moderation labels of one picture."""

from __future__ import annotations

from typing import Any

from tasks.core.aws.session import Aws


class Eye:
    """Rekognition."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @classmethod
    def open(cls, aws: Aws) -> Eye:
        return cls(aws)

    def labels(self, image: bytes, confidence: int) -> dict[str, Any]:
        """DetectLabels' answer for a JPEG or PNG of at most 5 MB."""
        answer: dict[str, Any] = self._aws.client("rekognition").detect_labels(
            Image={"Bytes": image}, MaxLabels=25, MinConfidence=confidence
        )
        return answer

    def moderation(self, image: bytes, confidence: int) -> dict[str, Any]:
        """DetectModerationLabels' answer for the same picture."""
        answer: dict[str, Any] = self._aws.client("rekognition").detect_moderation_labels(
            Image={"Bytes": image}, MinConfidence=confidence
        )
        return answer
