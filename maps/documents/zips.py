"""Office files with the same bytes for the same content: entries without clock, in their own order."""

import io
import re
import zipfile

__all__ = ["settle_zip"]

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest instant a zip entry can carry
# Whatever prefix the namespace has: another library in the process may have registered its own.
_MODIFIED = re.compile(rb"(<([\w.-]+:(?:created|modified))\b[^>]*>)[^<]*(</\2>)")


def settle_zip(data: bytes, day: str) -> bytes:
    """Rewrite a zip file (DOCX, XLSX) with fixed times.

    Parameters
    ----------
    data
        The file.
    day
        ISO day that its core properties name as created and modified.
    """
    out = io.BytesIO()
    stamp = f"{day}T00:00:00Z".encode()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<3>", content)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, content)
    return out.getvalue()
