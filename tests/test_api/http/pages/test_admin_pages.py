"""Keys and tenants by hand: a key is seen once, replaced, revoked; and everything is on record."""

from typing import TYPE_CHECKING

import pytest
from page_visits import WINDOWS, City, Seen

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("window", WINDOWS)
def test_a_key_from_making_to_revoking(city: City, browser: "Browser", window: str) -> None:
    seen = Seen(browser, city.address, window)
    seen.sign_in(city.service.keys["admin"])
    seen.look("admin")
    seen.page.click("text=新密钥")
    seen.page.select_option("#role", "rider")
    seen.page.click("text=生成 >> nth=0")
    # A rider's key wants the rider's id: said, and nothing is lost.
    assert "rider" in seen.page.inner_text("#error")
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
    assert "key.revoke" in seen.page.inner_text("main")
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
