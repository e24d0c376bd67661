from apps.publication.models.rows import FacetValue, PublicHeading, PublicRow, PublicRowText

__all__ = ["FacetValue", "PublicHeading", "PublicRow", "PublicRowText"]
