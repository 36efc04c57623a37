"""The sample conference and its players; they drive a real server from outside."""
