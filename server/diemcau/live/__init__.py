"""What is true right now: link deadlines, live rows, fan-out to boards. Plain data in, frames out; no SQL."""
