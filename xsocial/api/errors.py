"""One mapping from errors to JSON problems."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from xsocial.kernel.errors import ApplicationError
from xsocial.kernel.rest.problems import problem


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF hook: None lets an unexpected error rise to the server's own 500."""
    response = _answer(error)
    if response is not None:
        set_rollback()
    return response


def _answer(error: Exception) -> Response | None:
    if isinstance(error, ApplicationError):
        response = Response(problem(error.status, error.message, details=error.extra), status=error.status)
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            response["Retry-After"] = "5"
        return response
    if isinstance(error, Http404):
        return Response(problem(404, "Record not found"), status=404)
    if isinstance(error, PermissionDenied):
        return Response(problem(403, "This action is not allowed"), status=403)
    if isinstance(error, ModelValidationError):
        details = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        return Response(problem(422, "Validation failed", details=details), status=422)
    if isinstance(error, OperationalError):
        return Response(problem(503, "The database is not reachable"), status=503, headers={"Retry-After": "5"})
    if isinstance(error, exceptions.APIException):
        return _framework_answer(error)
    return None


def _framework_answer(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)
    if isinstance(error, exceptions.ValidationError):
        details = error.get_full_details()
        return Response(
            problem(422, "Validation failed", description=_first_message(error.detail), details=details), status=422
        )
    title = "The access token is invalid" if error.status_code == 401 else str(error.detail)
    return Response(problem(error.status_code, title), status=error.status_code, headers=headers)


def _first_message(detail: Any, field: str = "") -> str:
    if isinstance(detail, dict):
        name, value = next(iter(detail.items()))
        return _first_message(value, str(name))
    if isinstance(detail, list):
        return _first_message(detail[0], field)
    return f"{field}: {detail}" if field and field != "non_field_errors" else str(detail)
