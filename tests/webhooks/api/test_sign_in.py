"""Which tokens are accepted, and how often keys are fetched."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from asking import Issuer, Web, public_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from webhooks.api.auth import CACHED_FOR, FETCH_GAP

MINUTE = timedelta(minutes=1)
Make = Callable[[Issuer], str]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # tokens don't depend on it


def seconds(issuer: Issuer, after: timedelta) -> int:
    return int((issuer.now + after).timestamp())


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(issuer: Issuer) -> str:
    return f"{encoded({'alg': 'none', 'kid': 'key-1', 'typ': 'JWT'})}.{encoded(issuer.claims('user_rina'))}."


def signed_with_the_public_key(issuer: Issuer) -> str:
    """HS256 with our public key as the secret: the classic algorithm confusion."""
    pem = (
        issuer.keys["key-1"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head = f"{encoded({'alg': 'HS256', 'kid': 'key-1', 'typ': 'JWT'})}.{encoded(issuer.claims('user_rina'))}"
    signature = hmac.new(pem, head.encode(), "sha256").digest()
    return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def without(*names: str) -> Make:
    def make(issuer: Issuer) -> str:
        claims = {name: value for name, value in issuer.claims("user_rina").items() if name not in names}
        return jwt.encode(claims, issuer.keys["key-1"], algorithm="RS256", headers={"kid": "key-1"})

    return make


def another_key(issuer: Issuer) -> str:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(issuer.claims("user_rina"), stranger, algorithm="RS256", headers={"kid": "key-1"})


def its_own_key(issuer: Issuer) -> str:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    headers = {"kid": "key-9", "jku": "https://evil.example/jwks.json", "jwk": public_key(stranger)}
    return jwt.encode(issuer.claims("user_rina"), stranger, algorithm="RS256", headers=headers)


def tampered(issuer: Issuer) -> str:
    head, _, signature = issuer.token("user_sari").split(".")
    return f"{head}.{encoded(issuer.claims('user_rina'))}.{signature}"


REFUSED: dict[str, Make] = {
    "no signature at all (alg none)": unsigned,
    "HS256 with our public key as the secret": signed_with_the_public_key,
    "RS512, another algorithm": lambda issuer: jwt.encode(
        issuer.claims("user_rina"), issuer.keys["key-1"], algorithm="RS512", headers={"kid": "key-1"}
    ),
    "PS256, another padding": lambda issuer: jwt.encode(
        issuer.claims("user_rina"), issuer.keys["key-1"], algorithm="PS256", headers={"kid": "key-1"}
    ),
    "no kid": lambda issuer: jwt.encode(issuer.claims("user_rina"), issuer.keys["key-1"], algorithm="RS256"),
    "a kid that nobody knows": lambda issuer: jwt.encode(
        issuer.claims("user_rina"), issuer.keys["key-1"], algorithm="RS256", headers={"kid": "key-9"}
    ),
    "another key under a known kid": another_key,
    "its own key in the header": its_own_key,
    "other claims under a good signature": tampered,
    "another issuer": lambda issuer: issuer.token("user_rina", iss="https://clerk.evil.example"),
    "an issuer that only begins alike": lambda issuer: issuer.token("user_rina", iss="https://clerk.suarajaya.example.evil"),
    "expired a minute ago": lambda issuer: issuer.token("user_rina", exp=seconds(issuer, -MINUTE)),
    "good from in a minute on": lambda issuer: issuer.token("user_rina", nbf=seconds(issuer, MINUTE)),
    "issued in a minute": lambda issuer: issuer.token("user_rina", iat=seconds(issuer, MINUTE)),
    "made for another origin": lambda issuer: issuer.token("user_rina", azp="https://evil.example"),
    "made for no origin": without("azp"),
    "no end": without("exp"),
    "no beginning": without("iat"),
    "nobody's": without("sub"),
    "no issuer": without("iss"),
    "an end that is no number": lambda issuer: issuer.token("user_rina", exp="later"),
    "an end beyond all numbers": lambda issuer: issuer.token("user_rina", exp=float("inf")),
    "an end too large to count": lambda issuer: issuer.token("user_rina", exp=10**400),
    "an empty user": lambda issuer: issuer.token(""),
    "a user with a NUL": lambda issuer: issuer.token("user_rina\x00"),
    "a user of a thousand letters": lambda issuer: issuer.token("u" * 1000),
    "three dots": lambda _: "...",
    "no token": lambda _: "hello",
    "nested beyond reason": lambda _: base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.x",
    "far too long": lambda _: "a" * 5000,
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
async def test_token_is_refused_with(web: Web, why: str) -> None:
    token = REFUSED[why](web.issuer)
    status, body = await web.nobody.get("/api/user", headers={"Authorization": f"Bearer {token}"})
    assert (status, body["code"]) == (401, "invalid_token")
    assert web.issuer.fetched <= 2


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token abc", "bearer\tabc"])
async def test_malformed_header_is_no_sign_in(web: Web, header: str) -> None:
    status, body = await web.nobody.get("/api/user", headers={"Authorization": header})
    assert (status, body["success"]) == (401, False)


@pytest.mark.parametrize(
    ("user", "role", "name"),
    [("user_rina", "admin", "Ibu Rina"), ("user_andi", "technician", "Andi"), ("user_sari", "user", None)],
)
async def test_role_comes_from_the_staff_list(web: Web, user: str, role: str, name: str | None) -> None:
    status, body = await web.as_user(user).get("/api/user")
    assert (status, body["role"], body["data"]["_id"], body["data"]["name"]) == (200, role, user, name)


async def test_role_in_the_token_is_ignored(web: Web) -> None:
    token = web.issuer.token("user_sari", role="admin", org_role="org:admin", metadata={"role": "admin"})
    _, body = await web.nobody.get("/api/user", headers={"Authorization": f"Bearer {token}"})
    assert body["role"] == "user"


async def test_clocks_may_differ_by_a_few_seconds(web: Web) -> None:
    late, early = timedelta(seconds=-5), timedelta(seconds=5)
    for claims in (
        {"exp": seconds(web.issuer, late)},
        {"nbf": seconds(web.issuer, early), "iat": seconds(web.issuer, early)},
    ):
        token = web.issuer.token("user_sari", **claims)
        assert (await web.nobody.get("/api/user", headers={"Authorization": f"Bearer {token}"}))[0] == 200


async def test_keys_rotate_without_a_restart(web: Web, rsa_keys: list[rsa.RSAPrivateKey]) -> None:
    assert (await web.sari.get("/api/user"))[0] == 200
    web.issuer.keys = {"key-2": rsa_keys[1]}
    web.now += FETCH_GAP
    headers = {"Authorization": f"Bearer {web.issuer.token('user_sari', kid='key-2')}"}
    assert (await web.nobody.get("/api/user", headers=headers))[0] == 200
    web.issuer.keys["key-1"] = rsa_keys[0]  # withdrawn: still able to sign, no longer published
    old = web.issuer.token("user_sari")
    del web.issuer.keys["key-1"]
    assert (await web.nobody.get("/api/user", headers={"Authorization": f"Bearer {old}"}))[0] == 401


async def test_unknown_kids_cause_few_fetches(web: Web) -> None:
    assert (await web.sari.get("/api/user"))[0] == 200
    web.now += FETCH_GAP
    for number in range(20):
        token = jwt.encode(web.issuer.claims("x"), web.issuer.keys["key-1"], "RS256", headers={"kid": f"kid-{number}"})
        assert (await web.nobody.get("/api/user", headers={"Authorization": f"Bearer {token}"}))[0] == 401
    assert web.issuer.fetched == 2


@pytest.mark.parametrize("later", [CACHED_FOR, -CACHED_FOR])  # negative: the clock was set back
async def test_withdrawn_key_expires_within_the_hour(
    web: Web, later: timedelta, rsa_keys: list[rsa.RSAPrivateKey]
) -> None:
    assert (await web.sari.get("/api/user"))[0] == 200
    web.now += later
    token = web.issuer.token("user_sari")
    web.issuer.keys = {"key-2": rsa_keys[1]}
    assert (await web.nobody.get("/api/user", headers={"Authorization": f"Bearer {token}"}))[0] == 401


async def test_cached_keys_work_while_issuer_is_away(web: Web) -> None:
    assert (await web.sari.get("/api/user"))[0] == 200
    web.issuer.away = True
    web.now += CACHED_FOR
    assert (await web.sari.get("/api/user"))[0] == 200


async def test_sign_in_is_unavailable_without_keys(web: Web) -> None:
    web.issuer.away = True
    for _ in range(5):
        status, body = await web.sari.get("/api/user")
        assert (status, body["code"]) == (503, "sign_in_unavailable")
    assert web.issuer.fetched == 1
    assert (await web.sari.get("/api/spareparts"))[0] == 200  # public endpoints still work


@pytest.mark.parametrize(
    ("later", "fetched"),
    [
        (timedelta(), 1),  # at once
        (FETCH_GAP - timedelta(seconds=1), 1),  # not yet
        (FETCH_GAP, 2),
        (timedelta(seconds=-1), 2),  # the clock was set back a little
        (timedelta(hours=-1), 2),  # by an hour
    ],
)
async def test_failed_fetch_is_retried_after_the_gap(web: Web, later: timedelta, fetched: int) -> None:
    web.issuer.away = True
    assert (await web.sari.get("/api/user"))[0] == 503
    web.issuer.away = False
    web.now += later
    assert (await web.sari.get("/api/user"))[0] == (200 if fetched == 2 else 503)
    assert web.issuer.fetched == fetched


@pytest.mark.parametrize("settings", [{"clerk": None}])
async def test_public_routes_work_without_clerk(web: Web) -> None:
    for caller in (web.nobody, web.rina):
        status, body = await caller.get("/api/bookings/my-bookings")
        assert (status, body["code"]) == (503, "sign_in_off")
        assert body["message"] == "Masuk lewat web belum diaktifkan di bengkel ini."
    assert (await web.nobody.get("/api/services"))[0] == 200
