"""`quickfill adapt`: a model that knows a project."""
