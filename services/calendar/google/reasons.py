"""The reasons Google's calendar and token servers give, and what each means for somebody at home. Tables only.

Sources: https://developers.google.com/workspace/calendar/api/guides/errors, the error reasons of
https://docs.cloud.google.com/api-keys/docs/error-messages, and RFC 6749 section 5.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from services.calendar.google.credentials import LOGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.calendar.sources import Class


class Meaning(NamedTuple):
    """What a refusal means. In `text`, `{calendar}` is the calendar's id and `{account}` who asked."""

    kind: Class
    text: str
    after_s: float | None = None


_ENABLE: Final = (
    "the Google Calendar API is not switched on in the project of these credentials; switch it on at "
    "https://console.cloud.google.com/apis/library/calendar-json.googleapis.com"
)
_NO_RIGHT: Final = (
    "{account} may not read the calendar {calendar}; share it with that address and choose "
    '"See all event details", or make it public for an API key'
)
_SCOPE: Final = f"the login does not cover calendars; type: {LOGIN}, and tick the box for calendars"
_BLOCKED: Final = (
    "the API key may not be used from here or for calendars; mend its restrictions at "
    "https://console.cloud.google.com/apis/credentials"
)
_BAD_KEY: Final = "Google does not know this API key; make one at https://console.cloud.google.com/apis/credentials"
_RATE: Final = "Google wants fewer questions"
_DAY: Final = "the project's quota of this day is used up"
_DISABLED: Final = "the project of these credentials is switched off or was deleted"
_NOT_SHARED: Final = (
    "there is no calendar {calendar}, or it is not shared with {account}; its id stands in its settings under "
    '"Integrate calendar"'
)

REASONS: Final[Mapping[str, Meaning]] = {
    "rateLimitExceeded": Meaning("busy", _RATE),
    "userRateLimitExceeded": Meaning("busy", _RATE),
    "RATE_LIMIT_EXCEEDED": Meaning("busy", _RATE),
    "quotaExceeded": Meaning("busy", _DAY, 3600.0),
    "dailyLimitExceeded": Meaning("busy", _DAY, 3600.0),
    "calendarUsageLimitsExceeded": Meaning("busy", _RATE),
    "accessNotConfigured": Meaning("refused", _ENABLE),
    "SERVICE_DISABLED": Meaning("refused", _ENABLE),
    "forbidden": Meaning("refused", _NO_RIGHT),
    "requiredAccessLevel": Meaning("refused", _NO_RIGHT),
    "forbiddenForNonOrganizer": Meaning("refused", _NO_RIGHT),
    "insufficientPermissions": Meaning("refused", _SCOPE),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Meaning("refused", _SCOPE),
    "keyInvalid": Meaning("refused", _BAD_KEY),
    "API_KEY_INVALID": Meaning("refused", _BAD_KEY),
    "keyExpired": Meaning("refused", _BAD_KEY),
    "ipRefererBlocked": Meaning("refused", _BLOCKED),
    "API_KEY_SERVICE_BLOCKED": Meaning("refused", _BLOCKED),
    "API_KEY_IP_ADDRESS_BLOCKED": Meaning("refused", _BLOCKED),
    "API_KEY_HTTP_REFERRER_BLOCKED": Meaning("refused", _BLOCKED),
    "CONSUMER_SUSPENDED": Meaning("refused", _DISABLED),
    "USER_PROJECT_DENIED": Meaning("refused", _DISABLED),
    "notFound": Meaning("gone", _NOT_SHARED),
}
"""The `reason` of an error's first entry, or of its details."""

STATUSES: Final[Mapping[int, Meaning]] = {
    400: Meaning("broken", "Google does not understand the question for the calendar {calendar}"),
    401: Meaning("refused", "Google does not accept the credentials of {account}"),
    403: Meaning("refused", _NO_RIGHT),
    404: Meaning("gone", _NOT_SHARED),
    408: Meaning("unreachable", "Google's server waited too long for the question"),
    410: Meaning("unreachable", "Google's answer is out of date; the calendar will be asked anew as a whole"),
    429: Meaning("busy", _RATE),
    503: Meaning("busy", "Google's server is busy"),
}
"""For answers without a reason that is known; 5xx beside these are Google's own trouble."""
SERVER_TROUBLE: Final = Meaning("unreachable", "Google's server has trouble of its own")
ODD: Final = Meaning("broken", "Google's server gave an answer that calendars do not give")
REDIRECTED: Final = Meaning(
    "unreachable", "something between here and Google leads elsewhere: a login page of the network, or a proxy"
)

_LOGIN_AGAIN: Final = f"log in again: {LOGIN}"
CLOCK_OR_REVOKED: Final = "the clock of this machine may be wrong, or the grant was revoked"

GRANTS: Final[Mapping[str, Meaning]] = {
    "invalid_client": Meaning("refused", f"Google does not know the client of this login any more; {_LOGIN_AGAIN}"),
    "deleted_client": Meaning("refused", f"the client of this login was deleted; make another and {_LOGIN_AGAIN}"),
    "disabled_client": Meaning("refused", "the service account or client is switched off in Google's console"),
    "unauthorized_client": Meaning("refused", "this client may not ask for calendars; see Google's console"),
    "invalid_scope": Meaning("refused", f"the login does not cover calendars; {_LOGIN_AGAIN}"),
    "access_denied": Meaning("refused", f"the account's owner or its organisation said no; {_LOGIN_AGAIN}"),
    "admin_policy_enforced": Meaning("refused", "the organisation's administrator does not allow this client"),
    "org_internal": Meaning("refused", "this client is for members of its organisation only"),
    "invalid_request": Meaning("refused", "Google does not understand these credentials; download them anew"),
    "invalid_rapt": Meaning("refused", f"the organisation wants a fresh login; {_LOGIN_AGAIN}"),
    "rapt_required": Meaning("refused", f"the organisation wants a fresh login; {_LOGIN_AGAIN}"),
}
"""The `error` of the token server."""

GRANT_WORDS: Final = (
    ("reasonable timeframe", "clock"),
    ("invalid jwt signature", "key"),
    ("account not found", "account"),
    ("expired or revoked", "revoked"),
    ("user not found", "account"),
)
"""What stands in the description of an `invalid_grant` -> what it was."""
GRANT_MEANINGS: Final[Mapping[str, Meaning]] = {
    "clock": Meaning(
        "unreachable",
        "the clock of this machine is wrong: Google takes a signature for a few minutes only; set the time",
    ),
    "key": Meaning(
        "refused",
        "the key of {account} does not hold any more: it was deleted, or is another account's; make a new one",
    ),
    "account": Meaning(
        "refused", "{account} does not exist any more; make a new service account and share the calendar with it"
    ),
    "revoked": Meaning(
        "refused",
        f"the login was revoked or has run out (an app in testing has 7 days: publish it); {_LOGIN_AGAIN}",
    ),
    "unknown": Meaning(
        "refused", "Google does not accept the grant of {account} any more: it was revoked, or has run out"
    ),
}
"""A wrong clock is no refusal: it is set a minute after the start, and then Google is asked again soon."""
