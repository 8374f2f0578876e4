"""Nothing that was written in a field ever runs, whoever reads it, on whichever page."""

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from page_visits import City, Seen
from tiny_study import place

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAYLOADS = (
    "\u2028</title><script src=//evil.example/x.js></script>",
    "'\"><img src=x onerror=alert(2) onfocus=alert(3)>",
    "</textarea></template><svg onload=alert(5)>{{7*7}}",
    '<a href="javascript:alert(6)" hx-get=/admin>x</a>',
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_stored_text_runs(city: City, browser: "Browser", payload: str) -> None:
    service = city.service
    service.riders("red", "A")
    lon, lat = place("B")
    short = payload[:40]
    task = service.task("office", payload[:60], task={"grid_code": "G1", "skills": []})
    (offer,) = [one for one in service.ask("r0", "GET", "/v1/offers")["offers"] if one["id"] == task["id"]]
    said = {"accept": {}, "start": {}, "finish": {"note": payload}}
    for verb, body in said.items():
        service.ask("r0", "POST", f"/v1/offers/{offer['offer_id']}/{verb}", json=body)
    second = service.task("office", f"2{payload[:59]}", task={"grid_code": short})
    (asked,) = service.ask("r0", "GET", "/v1/offers")["offers"]
    service.ask("r0", "POST", f"/v1/offers/{asked['offer_id']}/decline", json={"reason": payload})
    drill = {"name": payload[:60], "lon": lon, "lat": lat, "drill": True, "grid_code": "G1"}
    raised = service.ask("office", "POST", "/v1/emergencies?datum=wgs84", 201, json=drill)
    alert = service.ask("r0", "GET", "/v1/alerts")["alerts"][-1]
    seen = Seen(browser, city.address, "desktop", lang="en")
    seen.sign_in(service.keys["office"])
    pages = [
        "/tasks?show=all", f"/tasks/{task['id']}", f"/tasks/{second['id']}", "/live", "/duty",
        f"/duty/{raised['id']}", "/planner", "/plans/compare?left=" + "x",
    ]  # fmt: skip
    for path in pages:
        seen.open(path)
        assert "evil.example" not in seen.page.evaluate(
            "[...document.querySelectorAll('script,link,img,a[href]')].map(e => e.src || e.href).join(' ')"
        )
        assert seen.page.locator("main [onerror], main [onfocus], main [onload], main a[hx-get]").count() == 0
    # What was written in a form comes back in it when it is refused, as text.
    seen.open("/tasks/new")
    seen.page.fill("#name", payload[:50])
    seen.page.evaluate("document.querySelector('#hours').type = 'text'")
    seen.page.fill("#hours", payload[:50])
    seen.page.click("main button.main")
    seen.drawn()
    assert seen.page.input_value("#name") == payload[:50].strip()
    service.ask("office", "POST", f"/v1/emergencies/{raised['id']}/close", json={"reason": payload})
    seen.open(f"/duty/{raised['id']}")
    assert payload.strip()[:20] in seen.page.inner_text("main")
    seen.close()
    rider = Seen(browser, city.address, "phone", lang="en")
    rider.sign_in(service.keys["r0"])
    for path in ("/rider", f"/rider/offers/{asked['offer_id']}", f"/rider/alerts/{alert['alert_id']}"):
        rider.open(path)
    rider.close()
    service.ask("office", "POST", f"/v1/tasks/{second['id']}/withdraw", json={"reason": payload})
    admin = Seen(browser, city.address, "desktop", lang="en")
    admin.sign_in(service.keys["admin"])
    admin.page.click("text=A new key")
    admin.page.fill("#key-name", payload)
    admin.page.fill("#detail", payload)
    admin.page.select_option("#role", "rider")
    admin.page.click("form[action='/admin/keys'] button")
    admin.page.wait_for_load_state("load")
    for path in ("/admin", "/admin/audit", "/live", "/stations?facility=" + "x", "/sign-in?next=/" + "x"):
        admin.open(path)
    # Addresses of pages may hold anything too.
    for path in ("/stations?at_lon=", "/sign-in?next=", "/tasks?after=", "/duty/", "/planner/"):
        admin.open(path + quote(payload, safe=""))
    admin.close()
