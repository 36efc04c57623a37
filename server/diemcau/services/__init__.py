"""What people can do, one module a thing. Services authorize and choose transactions; the actor comes first."""
