"""Plain pages: the start, and the sheet for a station's wall, read by a decoder that we have not written."""

import io
from typing import TYPE_CHECKING, Any

import pytest
from page_visits import FLOWS, City, Seen
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("window", FLOWS)
def test_a_code_on_the_wall_leads_to_its_station(city: City, browser: "Browser", window: str) -> None:
    zxing: Any = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    seen = Seen(browser, city.address, window)
    seen.open("/stations/E01/poster")
    seen.look("poster")
    image = Image.open(io.BytesIO(seen.page.screenshot(full_page=True))).convert("L")
    (code,) = zxing.read_barcodes(image)
    assert code.format == zxing.BarcodeFormat.QRCode
    assert code.text == f"{city.address}/stations/E01"
    seen.open(code.text.removeprefix(city.address))
    assert "E01" in seen.page.url
    seen.close()
    # Grey and turned, as phones see it.
    turned = image.point(lambda x: 60 + x * 0.5).rotate(17, expand=True, fillcolor=187)
    assert [one.text for one in zxing.read_barcodes(turned)] == [code.text]
    # A sticker over a part of it: what hangs where people come and go is still read.
    corner, opposite = code.position.top_left, code.position.bottom_right
    width, height = opposite.x - corner.x, opposite.y - corner.y
    west, north = corner.x + 0.45 * width, corner.y + 0.5 * height
    spot = (west, north, west + 0.3 * width, north + 0.3 * height)
    ImageDraw.Draw(image).rectangle(spot, fill=255)
    assert [one.text for one in zxing.read_barcodes(image)] == [code.text]


@pytest.mark.parametrize("window", FLOWS)
def test_the_start_is_read_in_both_languages(city: City, browser: "Browser", window: str) -> None:
    seen = Seen(browser, city.address, window)
    seen.open("/")
    seen.look("start")
    seen.page.click("text=English")
    assert seen.page.get_attribute("html", "lang") == "en"
    seen.look("start-en")
    with seen.page.expect_download() as got:
        seen.page.click("button:has-text('Excel')")
    assert got.value.suggested_filename.endswith(".xlsx")
    seen.close()
