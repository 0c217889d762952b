# Code that the rules in rules.yaml must find (ruleid) and must not find (ok); `make check` tests them on it.
import datetime
import hmac
import os
import random
import time
import uuid

import aiohttp
import httpx
import requests
import sqlalchemy


def compared(signature, given, mac, token, wanted):
    # ruleid: compare-in-constant-time
    if signature == given:
        return True
    # ruleid: compare-in-constant-time
    if given != mac.hexdigest():
        return False
    # ruleid: compare-in-constant-time
    if wanted.token == given:
        return True
    # ok: compare-in-constant-time
    if len(token) == 3:
        return True
    # ok: compare-in-constant-time
    return hmac.compare_digest(signature, given)


def made_on_the_spot():
    # ruleid: the-clock-is-read-in-one-place
    now = datetime.datetime.now(datetime.UTC)
    # ruleid: the-clock-is-read-in-one-place
    today = datetime.date.today()
    # ruleid: the-clock-is-read-in-one-place
    seconds = time.time()
    # ruleid: the-clock-is-read-in-one-place
    name = uuid.uuid4()
    # ruleid: the-clock-is-read-in-one-place
    noise = os.urandom(8) + random.randbytes(8)
    # ok: the-clock-is-read-in-one-place
    return now, today, seconds, name, noise, time.perf_counter()


async def asked(session, code, table):
    # ruleid: no-sql-from-strings
    await session.execute(f"SELECT * FROM booking WHERE code = '{code}'")
    # ruleid: no-sql-from-strings
    await session.execute(sqlalchemy.text("SELECT * FROM " + table))
    # ruleid: no-sql-from-strings
    await session.scalar(sqlalchemy.text(f"SELECT * FROM {table}"))
    # ruleid: no-sql-from-strings
    await session.execute("SELECT * FROM booking WHERE code = '%s'" % code)
    # ok: no-sql-from-strings
    await session.execute(sqlalchemy.text("SELECT * FROM booking WHERE code = :code"), {"code": code})


async def booked(session):
    # ruleid: core-neither-begins-nor-commits
    await session.commit()
    # ruleid: core-neither-begins-nor-commits
    await session.rollback()
    # ruleid: core-neither-begins-nor-commits
    async with session.begin():
        pass
    # ok: core-neither-begins-nor-commits
    async with session.begin_nested():
        pass


def called(url, timeout):
    # ruleid: no-client-without-a-timeout
    aiohttp.ClientSession()
    # ruleid: no-client-without-a-timeout
    httpx.AsyncClient(base_url=url)
    # ruleid: no-client-without-a-timeout
    requests.get(url)
    # ok: no-client-without-a-timeout
    aiohttp.ClientSession(timeout=timeout)
    # ok: no-client-without-a-timeout
    requests.get(url, timeout=5)


def told(log, token, settings, booking):
    # ruleid: no-secret-in-a-log-line
    log.info("signed in with %s", token)
    # ruleid: no-secret-in-a-log-line
    log.warning(f"refused: {settings.midtrans.server_key}")
    # ok: no-secret-in-a-log-line
    log.info("booked %s", booking.code)
