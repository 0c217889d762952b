"""Around the endpoints: rate limits, origins, the document."""

from datetime import timedelta
from typing import Any

import pytest
from asking import ORIGIN, Caller, Web, wish

from webhooks.api import ENDPOINTS

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.mark.parametrize("settings", [{"rate_limit": "3/minute"}])
async def test_fourth_write_in_a_minute_is_refused(web: Web) -> None:
    async def write(caller: Caller) -> tuple[int, str | None]:
        async with web.client.post("/api/bookings", json={}, headers=caller.headers) as response:
            return response.status, response.headers.get("Retry-After")

    assert [await write(web.sari) for _ in range(4)] == [(400, None)] * 3 + [(429, "20")]
    assert (await web.sari.get("/api/bookings/my-bookings"))[0] == 200  # reads aren't limited
    assert await write(web.tono) == (400, None)  # another user
    web.now += timedelta(seconds=20)
    assert await write(web.sari) == (400, None)


@pytest.mark.parametrize("settings", [{"rate_limit": "2/minute"}])
async def test_address_without_token_is_limited_too(web: Web) -> None:
    statuses = [(await web.nobody.post("/api/bookings", {}))[0] for _ in range(11)]
    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize("settings", [{"rate_limit": "1/minute", "behind_proxy": True}])
async def test_proxy_adds_the_callers_address(web: Web) -> None:
    async def write(forwarded: str) -> int:
        return (await web.nobody.post("/api/bookings", {}, headers={"X-Forwarded-For": forwarded}))[0]

    assert [await write("10.0.0.1, 203.0.113.7") for _ in range(6)] == [401] * 5 + [429]
    assert await write("9.9.9.9, 203.0.113.7") == 429  # what the caller sends is ignored
    assert await write("203.0.113.8") == 401


async def test_only_configured_origins_may_call(web: Web) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with web.client.options("/api/bookings", headers={"Origin": ORIGIN} | asked) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in response.headers
    async with web.client.options("/api/bookings", headers={"Origin": "https://evil.example"} | asked) as response:
        assert response.status == 405
        assert "Access-Control-Allow-Origin" not in response.headers
    for path, status in (("/api/services", 200), ("/api/user", 401), ("/api/nothing", 404)):
        async with web.client.get(path, headers={"Origin": ORIGIN}) as response:
            assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (status, ORIGIN)
            assert "Origin" in response.headers["Vary"]
    async with web.client.get("/files/photo/x", headers={"Origin": ORIGIN}) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_failures_are_in_the_callers_language(web: Web) -> None:
    _, indonesian = await web.nobody.get("/api/user")
    _, english = await web.nobody.get("/api/user", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert (indonesian["message"], english["message"]) == ("Silakan masuk dulu.", "Please sign in first.")
    _, body = await web.sari.post("/api/bookings", wish(customerPhone="x", scheduledDate="2026-02-30"))
    assert {error["field"]: error["message"] for error in body["errors"]} == {
        "customerPhone": "Harus berupa nomor HP, seperti 0812 3456 7890.",
        "scheduledDate": "Harus berupa tanggal yang ada, seperti 2026-11-24.",
    }


async def test_document_and_page_name_every_endpoint(web: Web) -> None:
    status, document = await web.nobody.get("/api/openapi.json")
    named = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert (status, named) == (200, {(each.method, each.path) for each in ENDPOINTS})
    booking: Any = document["paths"]["/api/bookings"]["post"]
    assert booking["security"] == [{"clerk": []}]
    assert set(booking["responses"]) == {"201", "400", "401", "404", "408", "409", "413", "415", "429", "503"}
    assert document["components"]["schemas"]["NewBooking"]["required"] == [
        "customerName", "customerPhone", "vehicleInfo", "scheduledDate", "scheduledTime", "paymentMethod",
    ]  # fmt: skip
    status, page = await web.nobody.get("/api/docs")
    assert status == 200
    for each in ENDPOINTS:
        assert each.path in page
    assert "<script" not in page
    assert page.count("https://") == page.count("https://suarajaya.example")  # it loads nothing from elsewhere
