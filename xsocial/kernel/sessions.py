"""Sessions in PostgreSQL as Django keeps them, read with one prepared statement: every request begins with it."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from xsocial.kernel import sql

_ALIVE = f"SELECT {sql.columns(Session, 's')} FROM django_session s WHERE session_key = %(key)s AND expire_date > now()"


class SessionStore(db.SessionStore):
    """Signing out and a lost session take effect at once, for nothing is kept beside the row."""

    def _get_session_from_db(self) -> Session | None:
        found = sql.row(_ALIVE, {"key": self.session_key})
        if found is None:
            self._session_key = None
            return None
        return sql.made(Session, found)
