"""QR codes for the walls of stations."""

import io

import segno

__all__ = ["qr_svg"]


def qr_svg(address: str) -> bytes:
    """Return the QR code of an address as SVG that scales with its frame.

    A quarter of it may be torn or dirty (error correction Q): it hangs where people come and go.
    """
    out = io.BytesIO()
    segno.make_qr(address, error="q").save(
        out, kind="svg", scale=1, omitsize=True, xmldecl=True, border=4, light="#fff"
    )
    return out.getvalue()
