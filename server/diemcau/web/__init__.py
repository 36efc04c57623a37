"""The only server code that knows HTTP. `routes` is the table; handlers are thin; rules live in services."""
