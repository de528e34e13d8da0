"""The public JSON API, derived from the contracts: routes, codecs, problems and the OpenAPI document."""

from services.gateway.api.app import Api as Api
from services.gateway.api.app import build as build
