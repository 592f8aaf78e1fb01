"""Consumer contracts (Pact, specification 4): what our pages and connectors need of those whom they ask, and whether these keep it.

- `contract`: a contract is written by running the real client against Pact's mock server.
- `verifying`: it is replayed against a real provider, which `states` bring to where the contract wants it.
- `ehr`, `clearing_house`, `cds_hooks`, `pages`: the contracts themselves.

They lie in tests/contracts/pacts. Write them anew after a change of a client:  .venv/bin/python -m tests.pacts --write
"""

import os

os.environ["PACT_DO_NOT_TRACK"] = "true"
"""Pact reports who verifies to its makers unless it is told not to; ours is nobody's business. It is read when a verification begins."""
