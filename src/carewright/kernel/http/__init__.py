"""HTTP: typed routes in, JSON or a problem document out. The OpenAPI document is made from the same routes."""
