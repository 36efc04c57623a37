"""The sample conference and its players, who drive a real server from outside (`diemcau demo`).

- `sample` the 766 points and 52,000 people; `arrivals` who comes when, and what goes wrong on the way
- `process` the server; `organizer` sets the conference up; `doors` what the displays show
- `people` plays the phones, `points` the halls' devices, `board` watches as a coordinator would
- `ledger` keeps what was done and acknowledged; `records` fetches what the server says; `reconcile` compares
- `play` is the order of events, `screen` what the terminal shows
"""
