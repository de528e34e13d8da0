"""What the small pages of the dev stack stand on: a tiny ASGI router, one page shell, one server loop.

Nothing here is for production. It exists because three small processes must stay under 45 MB each, which
leaves no room for a full web framework.
"""
