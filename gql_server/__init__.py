"""gql-server: captures in, de-identified captures out.

Two doors, `api` and `worker`. Both ask `services` to do things. Services use two tools that never meet:
`engine` (bytes) and `store` (memory). All speak the words of `domain`. A noun keeps its file name on every
floor: `api/jobs.py`, `services/jobs.py`, `store/jobs.py`, `domain/jobs.py`.

    __main__ -> commands -> app | deidentify -> api | worker -> services -> store | engine -> domain

Where a capture comes in: `api/uploads.py`. Where it is changed: `engine/addresses/`. Where it is remembered:
`store/traces.py` and `store/blobs.py`. Where it is announced: `store/events.py` and `api/events.py`.
"""

__version__ = "0.1.0"
