"""What the OpenAPI file says about tokens: which scope each operation needs."""

from drf_spectacular.contrib.django_oauth_toolkit import DjangoOAuthToolkitScheme
from drf_spectacular.openapi import AutoSchema

from xsocial.kernel.rest.scopes import ScopePermission


class ScopesScheme(DjangoOAuthToolkitScheme):
    """Our permissions in place of the toolkit's."""

    target_class = "oauth2_provider.contrib.rest_framework.OAuth2Authentication"
    priority = 1

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        """The scope of the first permission that names one; any token where none does."""
        permissions = auto_schema.view.get_permissions()
        scopes = [each.scope_for(auto_schema.method) for each in permissions if isinstance(each, ScopePermission)]
        return {self.name: [scope for scope in scopes if scope]}
