"""A storage that answers as S3 does where the clocks differ by more than 15 minutes (FQ-01)."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from django.core.files.storage import Storage


class Skewed(Storage):
    def _save(self, name: str, content: Any) -> str:
        message = "The difference between the request time and the current time is too large."
        raise ClientError({"Error": {"Code": "RequestTimeTooSkewed", "Message": message}}, "PutObject")

    def exists(self, name: str) -> bool:
        return False
