"""Keys and tenants by hand: a key is seen once, replaced, revoked; and everything is on record."""

from typing import TYPE_CHECKING

import pytest
from page_visits import FLOWS, City, Seen

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("window", FLOWS)
def test_a_key_from_making_to_revoking(city: City, browser: "Browser", window: str) -> None:
    seen = Seen(browser, city.address, window)
    seen.sign_in(city.service.keys["admin"])
    seen.look("admin")
    seen.page.click("text=新密钥")
    seen.page.select_option("#role", "rider")
    seen.page.click("text=生成 >> nth=0")
    # A rider's key wants the rider's id: said, and nothing is lost.
    assert "骑手编号：请填写" in seen.page.inner_text("#error")
    assert seen.page.input_value("#role") == "rider"
    seen.page.fill("#detail", f"r-{window}")
    seen.page.select_option("#tenant", "red")
    seen.page.fill("#key-name", f"小王的手机 {window}")
    seen.page.click("form[action='/admin/keys'] button")
    text = seen.page.inner_text(".secret")
    assert text.startswith("yl_")
    seen.look("admin-key")
    phone = Seen(browser, city.address, "phone")
    phone.sign_in(text)
    phone.close()
    # The same form sent again makes no second key, and shows nothing.
    seen.page.reload()
    assert seen.page.locator(".secret").count() == 0
    assert text not in seen.page.content()
    seen.open("/admin")
    row = seen.page.locator(f"li:has-text('小王的手机 {window}')").first
    assert text not in seen.page.content()
    row.locator("summary", has_text="作废").click()
    row.locator("button.danger").click()
    seen.page.wait_for_load_state("load")
    city.service.client.get("/healthz")
    refused = Seen(browser, city.address, "phone")
    refused.open("/sign-in")
    refused.page.fill("#key", text)
    refused.page.click("main form[action='/sign-in'] button")
    assert refused.page.locator("#error").is_visible()
    refused.look("sign-in-refused")
    refused.close()
    seen.open("/admin/audit")
    assert "作废密钥" in seen.page.inner_text("main")
    seen.look("audit")
    seen.close()


def test_a_revoked_key_ends_the_sessions_it_opened(city: City, browser: "Browser") -> None:
    admin = Seen(browser, city.address, lang="en")
    admin.sign_in(city.service.keys["admin"])
    admin.page.click("text=A new key")
    admin.page.select_option("#role", "planner")
    admin.page.select_option("#tenant", "bureau")
    admin.page.fill("#key-name", "for a week")
    admin.page.click("form[action='/admin/keys'] button")
    key = admin.page.inner_text(".secret")
    planner = Seen(browser, city.address, lang="en")
    planner.sign_in(key)
    admin.open("/admin")
    row = admin.page.locator("li:has-text('for a week')").first
    row.locator("summary", has_text="Revoke").click()
    row.locator("button.danger").click()
    admin.page.wait_for_load_state("load")
    planner.open("/planner")
    assert "/sign-in" in planner.page.url
    planner.close()
    admin.close()


def test_a_tenant_is_added_once(city: City, browser: "Browser") -> None:
    seen = Seen(browser, city.address, "desktop", lang="en")
    seen.sign_in(city.service.keys["admin"])
    for expected in (None, "already"):
        seen.page.click("text=Add a tenant")
        seen.page.fill("#tenant_id", "street-7")
        seen.page.fill("#tenant-name", "七号街道 <script>alert(7)</script>")
        seen.page.click("form[action='/admin/tenants'] button")
        seen.page.wait_for_load_state("load")
        if expected:
            assert expected in seen.page.inner_text("#error")
    seen.close()


@pytest.mark.parametrize("window", FLOWS)
def test_an_office_is_named_and_its_catalogue_filled(city: City, browser: "Browser", window: str) -> None:
    service = city.service
    seen = Seen(browser, city.address, window)
    seen.sign_in(service.keys["admin"])
    seen.page.click("main a:has-text('受理单位')")
    seen.look("offices")
    seen.page.select_option("#office", "bureau")
    seen.page.fill("#title", "城管局 <b>")
    seen.page.check("input[name=kinds][value=appearance]")
    seen.page.fill("#area", '{"type": "Point", "coordinates": [116, 39]}')
    seen.page.click("main button.main")
    # What was filled in is there still, with what is wrong with it.
    assert "area" in seen.page.inner_text("#error") or "范围" in seen.page.inner_text("#error")
    assert seen.page.input_value("#title") == "城管局 <b>"
    assert seen.page.is_checked("input[name=kinds][value=appearance]")
    box = "[[[116, 39], [117, 39], [117, 41], [116, 41], [116, 39]]]"
    outline = (
        f'{{"type": "Feature", "properties": {{}}, "geometry": {{"type": "Polygon", "coordinates": {box}}}}}'
    )
    seen.page.fill("#area", outline)
    seen.page.click("main button.main")
    seen.page.wait_for_selector("ul.cards >> text=城管局 <b>")
    seen.look("offices-named")
    listed = service.ask("admin", "GET", "/v1/offices")["offices"]
    assert {"office": "bureau", "title": "城管局 <b>", "kinds": ["appearance"]} in listed
    seen.page.click("ul.cards a:has-text('修改')")
    assert "116" in seen.page.input_value("#area")
    seen.open("/catalogue")
    seen.look("catalogue")
    seen.page.fill("#title", "洗手液")
    seen.page.fill("#item", f"soap-{window}")
    seen.page.fill("#points", "12")
    seen.page.fill("#communities", "知春里，中关村\n五道口")
    seen.page.click("form[action='/catalogue'] button.main")
    card = seen.page.locator(f"li:has-text('soap-{window}')")
    card.locator("input[name=pieces]").fill("7")
    card.locator("button").click()
    seen.page.wait_for_selector("text=还有 7")
    seen.look("catalogue-filled")
    (item,) = [
        one
        for one in service.ask("admin", "GET", "/v1/catalogue")["items"]
        if one["item"] == f"soap-{window}"
    ]
    assert (item["left"], item["points"], item["communities"]) == (7, 12, ["知春里", "中关村", "五道口"])
    acts = [one["action"] for one in service.ask("admin", "GET", "/v1/audit")["acts"]]
    assert {"office.put", "catalogue.put", "catalogue.stock"} <= set(acts)
    seen.close()
