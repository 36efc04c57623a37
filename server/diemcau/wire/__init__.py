"""What travels: msgspec structs of the public API and the sockets. No rules live here."""
