"""A supervisor with the embedded servers and nothing else, to be killed by tests.

    python -m tests.faults.embedded_host DATA [--outlived]

Prints one line of JSON when all are ready. With --outlived its children are not ended by the kernel when it dies, as on
systems that cannot do that.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from carewright.roles import child
from carewright.roles.embedded import Place, start_postgres, start_valkey
from carewright.roles.supervisor import Program, Supervisor


async def main(data: Path) -> int:
    try:
        place = await Place.open(data)
    except child.StartFailed as failure:
        child.say(failure.message)
        return 1
    programs = [
        Program(name="postgres", start=lambda: start_postgres(place)),
        Program(name="valkey", start=lambda: start_valkey(place)),
    ]
    supervisor = Supervisor(programs)

    def tell() -> None:
        facts = {
            "postgres": supervisor.pid("postgres"),
            "valkey": supervisor.pid("valkey"),
            "tag": place.tag,
            "home": str(place.home),
            "uid": os.geteuid(),
        }
        print(json.dumps(facts), flush=True)

    try:
        return await supervisor.run(when_ready=tell)
    finally:
        place.close()


if __name__ == "__main__":
    if "--outlived" in sys.argv:
        child._prctl = None
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
