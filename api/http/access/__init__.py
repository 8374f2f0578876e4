"""Who calls and how much: keys, OIDC, roles, rates."""
