"""The headless point: holds a link beside a codec. Knows the wire protocol, not the server."""
