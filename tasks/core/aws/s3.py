"""S3: objects, pinned to versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tasks.core.aws.session import Aws
from tasks.core.errors import NotFound, Stale, Unreadable, error_code
from tasks.core.models.digests import FileSha256
from tasks.core.models.location import Location

CHUNK = 1 << 20
PART = 8 << 20  # bytes; boto3 sends larger files in parts of this size
# A delete marker is no object either: S3 answers 405 to whoever names one by its version.
MISSING = ("404", "NoSuchKey", "NoSuchVersion", "NotFound", "405", "MethodNotAllowed")
# HEAD has no body: all that S3 says of an object that it will not show is one of these numbers.
WITHHELD = {
    "400": "S3 shows it only with the key that it was encrypted with (SSE-C): upload it again without a key of your own",
    "403": "S3 does not let Greenroom read it: look at its KMS key's policy, the bucket's policy, and the characters of its name",
}


@dataclass(frozen=True)
class Head:
    """What S3 says of one version, without its bytes. `metadata` keys are lower case."""

    location: Location
    etag: str
    bytes: int
    content_type: str
    last_modified: str
    metadata: dict[str, str]


class Store:
    """Objects in S3, pinned to versions."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @classmethod
    def open(cls, aws: Aws) -> Store:
        return cls(aws)

    @property
    def _s3(self) -> Any:
        return self._aws.client("s3")

    def head(self, location: Location) -> Head:
        """Look at one version; raises NotFound when it isn't there, Unreadable when S3 has it and will not show it."""
        try:
            found = self._s3.head_object(**_address(location))
        except Exception as fault:
            if error_code(fault) in WITHHELD:
                raise Unreadable(WITHHELD[error_code(fault)], location) from fault
            raise _missing(fault, location) from fault
        return Head(
            location=Location(location.bucket, location.key, found.get("VersionId", "") or ""),
            etag=found["ETag"].strip('"'),
            bytes=found["ContentLength"],
            content_type=found.get("ContentType", ""),
            last_modified=found["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            metadata={name.lower(): value for name, value in found.get("Metadata", {}).items()},
        )

    def versions(self, bucket: str, prefix: str = "") -> Iterator[Head]:
        """Every version in a bucket (no metadata, no content type), oldest pages first as S3 lists them."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for row in page.get("Versions", []):
                yield _version(bucket, row)

    def some_versions(self, bucket: str, start: str, most: int) -> tuple[list[Head], str]:
        """Up to `most` versions from `start` ("" is the beginning), and where to go on ("" at the end)."""
        listing = self._s3.get_paginator("list_object_versions")
        pages = listing.paginate(Bucket=bucket, PaginationConfig={"MaxItems": most, "StartingToken": start or None})
        rows = [_version(bucket, row) for page in pages for row in page.get("Versions", [])]
        return rows, str(pages.resume_token or "")

    def download(self, location: Location, path: Path) -> FileSha256:
        """Stream one version into `path`; returns its SHA-256 in hexadecimal. Raises NotFound."""
        digest = hashlib.sha256()
        try:
            body = self._s3.get_object(**_address(location))["Body"]
        except Exception as fault:
            raise _missing(fault, location) from fault
        with path.open("wb") as out:
            for chunk in body.iter_chunks(CHUNK):
                digest.update(chunk)
                out.write(chunk)
        return FileSha256(digest.hexdigest())

    def etag_and_sha256(self, location: Location) -> tuple[str, FileSha256]:
        """(ETag, SHA-256 in hexadecimal) of one version's bytes, read as a stream; raises NotFound."""
        digest = hashlib.sha256()
        try:
            found = self._s3.get_object(**_address(location))
        except Exception as fault:
            raise _missing(fault, location) from fault
        for chunk in found["Body"].iter_chunks(CHUNK):
            digest.update(chunk)
        return found["ETag"].strip('"'), FileSha256(digest.hexdigest())

    def read(self, location: Location) -> bytes:
        """A small object's bytes; raises NotFound."""
        try:
            body: bytes = self._s3.get_object(**_address(location))["Body"].read()
        except Exception as fault:
            raise _missing(fault, location) from fault
        return body

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes | BinaryIO,
        content_type: str,
        *,
        cache: str = "",
        disposition: str = "",
        **more: Any,
    ) -> str:
        """Write one object; returns its version ("" where the bucket keeps none)."""
        options = {"CacheControl": cache, "ContentDisposition": disposition}
        written = self._s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            **{name: value for name, value in options.items() if value},
            **more,
        )
        return str(written.get("VersionId", "") or "")

    def upload(self, path: Path, bucket: str, key: str, content_type: str) -> None:
        """Write a file; large ones in parts. A small one by hand: the machinery for parts takes three times the processor."""
        if path.stat().st_size <= PART:
            self.put(bucket, key, path.read_bytes(), content_type)
            return
        self._s3.upload_file(str(path), bucket, key, ExtraArgs={"ContentType": content_type})

    def copy(
        self,
        source: Location,
        bucket: str,
        key: str,
        content_type: str,
        *,
        cache: str = "",
        disposition: str = "",
        expect_etag: str = "",
    ) -> None:
        """Copy one version inside S3 with new headers and no old metadata; raises NotFound, Stale when the ETag differs."""
        options = {"CacheControl": cache, "ContentDisposition": disposition, "CopySourceIfMatch": expect_etag}
        address = {"Bucket": source.bucket, "Key": source.key}
        if source.version:
            address["VersionId"] = source.version
        try:
            self._s3.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource=address,
                ContentType=content_type,
                MetadataDirective="REPLACE",
                **{name: value for name, value in options.items() if value},
            )
        except Exception as fault:
            if error_code(fault) in ("PreconditionFailed", "412"):
                raise Stale(f"{source.key} is no longer what was validated") from fault
            raise _missing(fault, source) from fault

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """Every current key under a prefix."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for row in page.get("Contents", []):
                yield row["Key"]

    def delete(self, bucket: str, keys: list[str]) -> None:
        """Delete current objects; an absent key is no error."""
        for start in range(0, len(keys), 1000):
            batch = [{"Key": key} for key in keys[start : start + 1000]]
            self._s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})

    def tag(self, location: Location, tags: dict[str, str]) -> None:
        """Replace one version's tags; lifecycle and bucket policy read them. Raises NotFound."""
        rows = [{"Key": name, "Value": value} for name, value in tags.items()]
        try:
            self._s3.put_object_tagging(**_address(location), Tagging={"TagSet": rows})
        except Exception as fault:
            raise _missing(fault, location) from fault

    def presigned_get(self, location: Location, seconds: int, disposition: str = "") -> str:
        """A link to one version that works for `seconds`; with a `disposition` it is saved, as bytes of no type, never shown."""
        saved = {"ResponseContentDisposition": disposition, "ResponseContentType": "application/octet-stream"}
        params = {**_address(location), **(saved if disposition else {})}
        url: str = self._aws.link_signer.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds)
        return url

    def presigned_post(
        self, bucket: str, key: str, fields: dict[str, str], conditions: list[Any], seconds: int
    ) -> dict[str, Any]:
        """Form fields with which a browser may post exactly one object: `{"url": ..., "fields": {...}}`."""
        answer: dict[str, Any] = self._aws.link_signer.generate_presigned_post(
            bucket, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=seconds
        )
        return answer


def _version(bucket: str, row: dict[str, Any]) -> Head:
    return Head(
        location=Location(bucket, row["Key"], row.get("VersionId", "")),
        etag=row["ETag"].strip('"'),
        bytes=row["Size"],
        content_type="",
        last_modified=row["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        metadata={},
    )


def _address(location: Location) -> dict[str, str]:
    address = {"Bucket": location.bucket, "Key": location.key}
    if location.version:
        address["VersionId"] = location.version
    return address


def _missing(fault: Exception, location: Location) -> Exception:
    if error_code(fault) in MISSING:
        return NotFound(f"no object {location.key!r} in {location.bucket}")
    return fault
