"""Our rules on top of Django OAuth Toolkit: who needs PKCE, and no password grant."""

from typing import Any

from oauth2_provider.models import AbstractApplication, get_application_model
from oauth2_provider.oauth2_validators import OAuth2Validator

ALLOWED_GRANTS = {"authorization_code", "client_credentials", "refresh_token"}


class Validator(OAuth2Validator):
    """Refuses grants that show a password to an app, and asks public clients for PKCE."""

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Only codes, refreshes and an app acting as itself; never a person's password.

        Apps registered over the API are stored with the code grant; with their secret they may
        also act for themselves, as clients of this dialect expect.
        """
        if grant_type == "client_credentials":
            return bool(request.client.client_type == AbstractApplication.CLIENT_CONFIDENTIAL)
        return grant_type in ALLOWED_GRANTS and super().validate_grant_type(
            client_id, grant_type, client, request, *args, **kwargs
        )

    def is_pkce_required(self, client_id: str, request: Any) -> bool:
        """A public client cannot keep a secret, so its code must need the verifier.

        A confidential one proves itself with the secret; older Mastodon clients send no verifier.
        """
        confidential = AbstractApplication.CLIENT_CONFIDENTIAL
        return not get_application_model().objects.filter(client_id=client_id, client_type=confidential).exists()
