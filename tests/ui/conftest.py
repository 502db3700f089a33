"""Pages stand on the same houses as the security tests do."""

from tests.security.conftest import open_house

__all__ = ["open_house"]
