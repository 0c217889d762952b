"""The API answers generated requests only as its OpenAPI document declares."""

import asyncio

import pytest
from asking import Web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from workshop import ANDI, INSTALL, SPEAKER

from webhooks.api import ENDPOINTS

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 5


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mode", GenerationMode)
async def test_every_answer_is_declared_and_no_server_error(web: Web, mode: GenerationMode) -> None:
    status, document = await web.nobody.get("/api/openapi.json")
    assert status == 200
    schema = openapi.from_dict(document)
    code = await web.book(technicianId=ANDI)
    await web.rina.post(f"/api/bookings/{code}/assign-technician", {"technicianId": ANDI})
    base_url, ids = str(web.client.make_url("/")), [code, SPEAKER, INSTALL, ANDI]

    def ask(method: str, path: str) -> None:
        operation = schema[path][method]

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=HealthCheck
        )
        @given(case=operation.as_strategy(generation_mode=mode), known=st.sampled_from([None, *ids]))
        def one(case: Case, known: str | None) -> None:
            if known and case.path_parameters:
                case.path_parameters["id"] = known
            case.call_and_validate(base_url=base_url, headers=web.rina.headers, checks=CHECKS)

        one()

    for each in ENDPOINTS:
        if mode is GenerationMode.NEGATIVE and not (each.query or each.body or "{id}" in each.path):
            continue  # no input to get wrong
        await asyncio.to_thread(ask, each.method.lower(), each.path)
