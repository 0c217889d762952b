"""The stand-in for Clerk, with the running demo."""

from aiohttp import ClientSession

from bot.sandbox.clerk import USERS
from bot.sandbox.demo import running_demo


async def test_the_shop_accepts_tokens_of_the_demo() -> None:
    async with running_demo() as vendors, ClientSession() as client:
        shop = vendors.clerk.shop_url
        roles = {"customer": "user", "technician": "technician", "admin": "admin", "user_somebody_else": "user"}
        for who, role in roles.items():
            async with client.post(f"{vendors.url}/clerk/token", json={"user": who}) as response:
                token = (await response.json())["token"]
            headers = {"Authorization": f"Bearer {token}", "Origin": vendors.url}
            async with client.get(f"{shop}/api/user", headers=headers) as response:
                body = await response.json()
                assert (response.status, body["role"], body["data"]["_id"]) == (200, role, USERS.get(who, who))
                assert response.headers["Access-Control-Allow-Origin"] == vendors.url
        async with client.post(f"{vendors.url}/clerk/token", data=b"[") as response:
            assert response.status == 400
        async with client.get(f"{vendors.url}/clerk") as response:
            page = await response.text()
        assert f"{shop}/api/docs" in page
        async with client.get(f"{shop}/api/docs") as response:
            assert (response.status, "my-bookings" in await response.text()) == (200, True)
