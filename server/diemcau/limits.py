"""Every bound, each with its reason. Nothing in Diemcau grows without one of these."""

from __future__ import annotations

# --- the web ---------------------------------------------------------------------------------------------
BODY_BYTES_MAX = 1_048_576
"""A JSON body. The largest honest one, 500 check-ins with names, is under 200 KB."""

IMPORT_BYTES_MAX = 64 * 1_048_576
"""An uploaded table. 52,000 people are 3 MB as CSV and 2 MB as XLSX; a million would be under 64 MB."""

LISTEN_BACKLOG = 4096
"""Connections the kernel may hold while 31,000 points reconnect (aiohttp's default is 128)."""

PAGE_ROWS_DEFAULT = 200
PAGE_ROWS_MAX = 1000
"""Rows in one answer of a list; more come with `after`."""

# --- people and keys -------------------------------------------------------------------------------------
CODE_CHARS_MAX = 40
NAME_CHARS_MAX = 200
"""The longest real names are around 60 characters; units and titles run longer."""

WHO_CHARS_MAX = 400
"""What is typed at a door: a name, or a badge's link with what some messenger hung on its end."""

TEXT_CHARS_MAX = 500
PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 200
"""argon2 would hash megabytes; nobody types more than this."""

# --- the writer ------------------------------------------------------------------------------------------
WRITE_QUEUE_ITEMS_MAX = 8192
"""Check-ins waiting for a commit: two seconds of the fastest sustained rate. Beyond it the answer is 503."""

WRITE_BATCH_ITEMS_MAX = 256
"""One transaction. Larger batches gain nothing measurable and delay the first in it."""

WRITE_GATHER_ITEMS = 48
GATHER_S = 0.002
GATHER_S_MAX = 0.016
GATHER_BUSY = 0.7
GATHER_LATELY_S = 0.1
GATHER_BUSY_LATELY = 0.85
"""How long fewer check-ins than these wait for others, a step at a time, as long as the event loop was busy for such a
share of the last step and of the last tenth of a second; look-ups too. A commit costs up to half a millisecond of CPU,
shared or not: phones that come one by one to a busy server would each pay for their own. On one with time to spare
nobody waits."""

WRITE_JOBS_MAX = 256
"""Other writes waiting (pairings, transitions, list changes)."""

WRITE_RETRIES_MAX = 5
"""Deadlocks and serialization failures of one batch before it is given up as overloaded."""

WRITE_RETRY_PAUSE_S = 0.2
"""Between attempts when the database's connection was lost: PostgreSQL restarts in about a second."""

OVERLOADED_RETRY_AFTER_S = 2

DATABASE_LOCK_WAIT_MS = 5_000
"""How long SQLite waits for another process before it reports `database is locked`."""

DATABASE_MAPPED_BYTES_MAX = 1 << 30
"""How much of SQLite's file is read in place by batches and look-ups of single rows. Among 2 million people a batch
costs a third less CPU an item so, and a look-up a fifth less. Writing never goes this way."""

READ_CONNECTIONS = 4
"""Readers beside the writer. SQLite readers are threads; more than this only fight over two cores."""

# --- the door --------------------------------------------------------------------------------------------
DOOR_STEP_S = 15
DOOR_STEPS_VALID = 4
"""Codes up to 60 s old are valid: slow phones on a bad line."""

DOOR_EXPIRED_MEMORY_S = 3600
"""A right code of the last hour is called expired; anything else is called invalid."""

DOOR_CODES_AHEAD_S = 120
"""What the server sends to a display that may not hold the key (no HTTPS): two minutes of codes."""

DOOR_FAILURES_PER_MINUTE_MAX = 120
"""Wrong codes, and wrong names, at one door before wrong ones are only told to wait; right ones always pass. A hall
of 600 that arrives within ten minutes makes about ten honest mistakes a minute."""

NETWORK_FAILURES_PER_MINUTE_MAX = 60
"""The same from one network (/24, /56) at one door: a hall of 500 behind one address that comes within two minutes,
one in ten mistyping, makes 25. Whoever guesses from one place reaches this first, and slows no other place."""

PHONE_REMEMBERED_S = 365 * 86_400
"""How long a phone remembers who used it at a door: from one conference to the next."""

CLAIM_VALID_S = 300
CLAIM_PERSONS_MAX = 5
CLAIM_FAILURES_MAX = 5
"""One phone for a family of colleagues, but not for guessing: a wrong or ambiguous answer is a failure, and so is each
person who was shown and not confirmed."""

CLAIMS_REMEMBERED_MAX = 200_000
"""Claims whose failures are counted in memory: five minutes of 600 arrivals a second."""

# --- anomalies -------------------------------------------------------------------------------------------
ANOMALY_PHONE_PEOPLE = 6
"""Different people by one phone in a session before somebody looks: one more than a scan is good for."""

ANOMALY_CODE_NETWORKS = 6
"""Networks (/16, /32) that one step's code was used from and no other code of the door: fewer are never odd."""

ANOMALY_SURPRISE = 10.0
"""How unlikely that must be (`domain/door_networks.py`): less than once in 22,000 codes of an honest hall, whose people
come through dozens of their carriers' networks."""

ANOMALY_NETWORKS_MAX = 128
ANOMALY_STEPS_MAX = 20
"""Networks, and steps, remembered of a door: a code lives for five steps and its claims for twenty."""

ANOMALY_SCANS_MAX = 15
ANOMALY_SCANS_WITHIN_S = 10
"""Badges by one device: a practised operator takes a second each; more than this is a program or a replayed list."""

ANOMALY_ARRIVALS_PER_MINUTE_MAX = 180
"""At one door: three times what 600 people within ten minutes give. Halls over 600 people: in proportion."""

ANOMALY_OVERFULL = 1.5
"""Counted people for each seat: people stand, and capacities are estimates, but not by half."""

ANOMALY_KEYS_MAX = 20_000
"""Phones, devices and doors remembered of each; what was quiet longest is forgotten first. A door with fifteen
networks takes 3 KB, so that as many of them take 70 MB; the others together under 20."""

ANOMALY_NONCES_MAX = 64
"""Check-ins named in one anomaly, and members told apart: enough to see what happened."""

ANOMALY_WINDOW_MAX = 1000
"""Check-ins remembered in one window: more than the highest threshold of a hall of 3,000."""

ANOMALY_WRITE_INTERVAL_S = 3.0
"""How long findings gather before they are written: nobody looks within seconds, and a burst costs one write."""

ANOMALIES_WAITING_MAX = 2000
"""Anomalies that wait for the database."""

# --- check-ins by devices and staff -----------------------------------------------------------------------
BATCH_ITEMS_MAX = 500
"""Check-ins in one request: a hall's queue of a whole morning, under 200 KB."""

NONCE_CHARS = 36
"""A UUID in its usual form."""

REASON_CHARS_MAX = 300
CLOCK_SKEW_MS = 60_000
"""A device clock further off than this is flagged; phones on a network are within seconds."""

OFFLINE_AGE_MS_MAX = 7 * 86_400_000
"""Offline items that say they are older than this, or from the future, are stored and flagged as implausible."""

ANNUL_OWN_S = 15 * 60
"""How long an operator may annul what the same device recorded."""

# --- badges ------------------------------------------------------------------------------------------------
BADGES_CHUNK_ROWS = 2000
"""Badges made in one transaction: some tens of milliseconds of the writer, so that the door never waits for 52,000."""

BADGE_FAILURES_PER_MINUTE_MAX = 30
"""Unknown badges opened from one network before more are only told to wait; right ones always open. 128 random bits
cannot be guessed anyway: this keeps whoever tries from using the database for it."""

BADGE_SESSIONS_MAX = 20
"""Sessions on the holder's own page, the latest ones: a year of conferences within 14 KB."""

# --- paper, spot-checks ------------------------------------------------------------------------------------
PAPER_ROWS_MAX = 2000
PHOTO_BYTES_MAX = 3 * 1_048_576
"""A photograph of a sheet, readable at 2,000 pixels as JPEG, is 0.3 to 1 MB."""

SPOT_NAMES = 5
SPOT_CODE_MINUTES_MAX = 60
SPOT_ANSWER_LATE_S = 30 * 60
"""How long after its end a spot-check takes answers: the line may be down just when the centre asks."""

SPOT_HALLS_A_WRITE = 1000
"""Halls asked in one transaction, five names each: under 150 ms of the writer, so that no check-in waits long."""

SPOT_CHECKS_MAX = 100
"""Of one session. A day has three; more than this is a program gone wrong."""

# --- headcounts, quick reports ------------------------------------------------------------------------------
HEADCOUNTS_A_POINT_MAX = 500
"""Of one hall in one session, all kept. A hall that says a number every minute of a morning has 300."""

QUICK_REPORTS_MAX = 50
"""Of one session, all kept with the halls behind them: 100 KB each for Hanoi, 6 MB for the nation."""

# --- absences --------------------------------------------------------------------------------------------
ABSENCE_REASONS_MAX = 50
"""Reasons on offer: a list to choose from on a phone, not a register."""

ABSENCES_ASKED_PER_MINUTE_MAX = 10
"""Requests and withdrawals by one badge: nobody changes their mind more often, and each costs a transaction."""

# --- links -----------------------------------------------------------------------------------------------
BEAT_INTERVAL_S = 10.0
IDENTIFY_DEADLINE_S = 10.0
BLIND_GRACE_S = 60.0
"""After a restart nothing is called lost for this long: two beats are exactly the longest backoff."""

WHEEL_LATE_S = 5.0
"""A wheel tick later than this means the server itself was blind: every deadline is extended by the gap."""

WHEEL_TICK_S = 0.25
"""How often the wheel looks: silence is noticed at most this late, stamped with its true deadline all the same."""

TRANSITIONS_WAITING_MAX = 200_000
"""Changes of link that wait for the database: 31,000 points falling and rising three times. Then the oldest go."""

TRANSITIONS_BATCH_MAX = 500
"""Changes in one transaction: a few milliseconds of the writer, so that no check-in waits for a storm."""

STORE_RETRY_S = 1.0
"""Between two attempts to store changes while the database is away."""

SOCKET_MESSAGE_BYTES_MAX = 16_384
DEVICES_PER_POINT_MAX = 20

# --- fan-out ---------------------------------------------------------------------------------------------
FLUSH_INTERVAL_S = 0.25
SNAPSHOT_PART_BYTES_MAX = 262_144
BOARD_QUEUE_FRAMES_MAX = 4
"""Frames waiting for one reader; beyond it the reader loses deltas and gets a snapshot."""

BOARD_STUCK_S = 10.0
"""A reader whose socket stays full for this long is closed."""

SOCKET_BUFFER_BYTES = 65_536
"""What may wait in a socket before its sender waits too, and before a hall loses counts it does not read."""

SOCKET_CLOSE_S = 5.0
"""How long a client may take to answer our closing."""

GONE_REMEMBERED_MAX = 10_000
"""Points that left a session and are still told to boards that resume; a board older than that gets a snapshot."""

CLOSED_SESSIONS_LOADED_MAX = 8
"""Frozen sessions that somebody looked at and that stay in memory."""

BOARD_RECHECK_S = 10.0
"""A role, unit or token that changes is felt by open boards within this time (DESIGN.md §6)."""

# --- accounts and pairing --------------------------------------------------------------------------------
LOGIN_FAILURES_PER_MINUTE_MAX = 10
"""Per account name; argon2 costs 50 ms a try besides."""

PASSWORDS_RUNNING_MAX = 2
"""Passwords hashed at once: argon2 takes 64 MiB and all the cores it finds, and the door needs some."""

PASSWORDS_WAITING_MAX = 50
"""In line for it: three to five seconds. Beyond that, signing in is told to wait, and nothing else suffers."""

SIGN_IN_VALID_S = 14 * 86_400
PAIRING_VALID_S = 86_400
PAIRING_FAILURES_PER_MINUTE_MAX = 60
"""For the whole server: 12 base32 characters hold 60 bits, so this leaves guessing hopeless."""

PAIRINGS_BULK_MAX = 1000

# --- sessions --------------------------------------------------------------------------------------------
SESSION_OPENS_BEFORE_S = 90 * 60
SESSION_OPENS_TICK_S = 10.0
"""How often the server looks whether a session is due to open; one indexed query."""

SESSION_POINTS_MAX = 50_000

# --- exports ---------------------------------------------------------------------------------------------
EXPORTS_RUNNING_MAX = 2
"""Each takes a reading connection and a process of its own for seconds; the door needs the rest."""

EXPORTS_WAITING_MAX = 20
EXPORT_S_MAX = 600.0
"""Two million rows as XLSX take about two minutes."""

EXPORT_CHUNK_BYTES = 262_144
"""How much of a finished file is read and sent at once."""

PDF_ROWS_MAX = 3_000
"""Typesetting takes 110 KiB and 0.7 ms a row: 400 MiB and two seconds. Longer tables go out as XLSX."""

# --- imports ---------------------------------------------------------------------------------------------
IMPORT_ROWS_MAX = 3_000_000
IMPORT_COLUMNS_MAX = 200
IMPORT_UNPACKED_BYTES_MAX = 1024 * 1_048_576
"""A workbook unpacked. A million people unpack to 400 MB; a file that says more was made to harm."""

IMPORT_MEMORY_BYTES_MAX = 3 * 1024 * 1_048_576
IMPORT_CPU_S_MAX = 300
"""Of the process that reads a file: what a million rows need, several times over, and an end to anything else."""

IMPORT_FINDINGS_MAX = 1000
"""Findings kept and shown; the count goes on."""

IMPORT_QUESTIONS_MAX = 200
"""Units named in a file that nobody knows or several are called; with more the wrong list of units is there."""

IMPORT_ROWS_SHOWN = 20
"""Rows that a trial shows as they are read."""

IMPORT_HEADER_ROWS_MAX = 40
"""Rows at the top of a sheet among which its columns are named; above them stand titles."""

IMPORT_SHEETS_MAX = 100
IMPORT_MERGES_MAX = 20_000
"""Merged cells of a sheet that are looked at; an honest list has some hundreds."""

IMPORT_CHUNK_ROWS = 2000
"""Rows in one statement."""

IMPORT_FRAME_ROWS = 500
"""Rows compared in one go: 6 ms of the event loop, where 2,000 held up every beat for 30 ms."""

IMPORT_PART_ROWS = 1000
"""Rows that one transaction of an import writes: 20 ms of the writer, which check-ins wait for."""

IMPORT_UNDO_ROWS = 500
"""Rows that one transaction removes or restores: each of them is looked for in more tables than a new one."""

IMPORT_FILE_NAME_CHARS_MAX = 200
IMPORT_KEPT_SHOWN_MAX = 500
"""Rows told by name that an import or its undoing left as they were; the count goes on."""

JOBS_REMEMBERED_MAX = 200
JOBS_RUNNING_MAX = 4
JOBS_WAITING_MAX = 16
"""Jobs that wait for a running one to end; each may hold an uploaded file on disk."""

JOBS_WITH_FILES_MAX = 10
JOB_FILES_KEPT_S = 1800.0
"""How many ended jobs keep their files and how long: paper is printed at once, and badges are as good as keys. Each may
take 80 MB of disk."""

# --- paper ------------------------------------------------------------------------------------------------
PRINT_ITEMS_MAX = 100_000
"""Badges, or people on hall lists, in one job; a nation prints province by province."""

PRINT_BADGES_A_FILE = 1000
"""A file of 100 sheets: what a printer takes in one go. Its process takes 200 MiB and three seconds of CPU."""

PRINT_SHEETS_A_FILE = 800
"""Posters and pairing sheets, below what one call of pairing makes: 300 MiB, three to four seconds of CPU."""

PRINT_PEOPLE_A_FILE = 2000
"""On hall lists. A larger hall has a file of its own."""

# --- preparation -------------------------------------------------------------------------------------------
UPLOAD_LINK_DAYS = 14
UPLOAD_LINK_DAYS_MAX = 60
"""How long a unit may hand in its list by a link: lists arrive two weeks before; nothing is prepared for longer."""

UPLOAD_LINKS_MAX = 2000
"""Links made in one request: the units of a large city."""

UPLOAD_BYTES_MAX = 8 * 1_048_576
"""A unit's own list: 10,000 people are under 1 MB."""

UPLOADS_PER_MINUTE_MAX = 10
"""Files by one link: whoever corrects a list sends two or three a minute, and each costs a process."""

UPLOAD_FAILURES_PER_MINUTE_MAX = 30
"""Unknown links opened from one network before more are only told to wait; right ones always open."""

UPLOADS_WAITING_MAX = 64
UPLOAD_KEPT_S = 30 * 60
"""Checked files that wait for their confirmation, and how long: half a gigabyte of disk at the very most."""

PERSONAL_LINKS_MAX = 20_000
"""Links in one file: the largest agency's staff. More go unit by unit, as they are sent."""

NAMES_FOUND_MAX = 5000
"""People that a search may find before their list is read in its own order instead: a page of 200 of two million is
then within the first 80,000."""

NAMES_INDEXED_ROWS = 2000
NAMES_INDEXED_TICK_S = 5.0
"""People taken over into SQLite's index of names in one transaction, a few milliseconds, and how often it is looked."""
