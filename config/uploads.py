"""Uploads as they come in: in files without a name, so that nothing is left of them however the process ends."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LARGEST = 110_000_000  # of what any page takes; the rest is counted, not kept


class NamelessUploads(FileUploadHandler):
    """Writes to a file that has no name in any folder."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin one."""
        super().new_file(*args, **kwargs)
        self.file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  # Django closes it

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Go on with it."""
        if start < LARGEST:
            self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        """It is there, with the size that was sent."""
        self.file.seek(0)
        return UploadedFile(self.file, self.file_name, self.content_type, file_size, self.charset)
