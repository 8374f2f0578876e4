"""The state of the service: tables, transactions, and one module an aggregate; every query has a scope."""

from api.store.scope import SERVICE, OutOfScopeError, Role, Scope
from api.store.session import Database, StoreUnavailable

__all__ = ["SERVICE", "Database", "OutOfScopeError", "Role", "Scope", "StoreUnavailable"]
