"""A document and its journal as version 0.1.0 wrote them: two texts, four traces, one attempt turned down; judged, graded,
and with steps checked."""
