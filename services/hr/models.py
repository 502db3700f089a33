"""stub"""

from sqlalchemy.orm import DeclarativeBase

from shared.db import TYPES, service_metadata


class Base(DeclarativeBase):
    """x"""

    metadata = service_metadata()
    type_annotation_map = TYPES
