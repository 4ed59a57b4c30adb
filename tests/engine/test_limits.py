import subprocess
import sys

CODE = """
import os, resource, sys
from gql_server.engine.limits import limit_this_process
before = os.nice(0)
limit_this_process({memory})
print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE), os.nice(0) - before)
try:
    held = bytearray({wanted})
    print("held")
except MemoryError:
    print("refused")
"""


def run(memory: int, wanted: int) -> list[str]:
    code = CODE.format(memory=memory, wanted=wanted)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_memory_beyond_the_budget_is_refused() -> None:
    lines = run(64 << 20, 700 << 20)
    assert lines[0] == f"{(512 + 64) << 20} (0, 0) 10"
    assert lines[1] == "refused"


def test_memory_within_the_budget_is_given() -> None:
    assert run(512 << 20, 600 << 20)[1] == "held"


DIES = """
import subprocess, sys
code = '''
import time
from gql_server.engine.limits import die_with_parent
die_with_parent()
print("up", flush=True)
time.sleep(60)
'''
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
"""


def test_a_child_dies_with_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", DIES], capture_output=True, text=True, check=True, timeout=60)
    pid = int(done.stdout)
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    assert state.stdout.strip() in ("", "Z")
