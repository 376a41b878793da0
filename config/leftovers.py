"""What a process that was killed in the middle of an upload leaves in the data folder."""

from pathlib import Path

from django.conf import settings

UPLOADS = "tmp*.upload*"  # as Django calls what is still on its way in; what waits to be taken is called otherwise
LONGEST_UPLOAD_SECONDS = 3600.0


def clear(*, now: float) -> None:
    """Remove uploads that nobody writes any more. On one machine that is all of them: the folder was just claimed."""
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(UPLOADS):
        try:
            if not settings.SCALED or now - path.stat().st_mtime > LONGEST_UPLOAD_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue  # another process cleared it
