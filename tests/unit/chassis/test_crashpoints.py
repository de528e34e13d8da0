"""Crash points kill the process at the armed pass and do nothing otherwise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.crashpoints import EXIT_CODE, Crashed, armed, crashpoint

PROGRAM = """
from chassis.crashpoints import crashpoint
for number in range(3):
    crashpoint("pay.before_reply")
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    ("spec", "printed", "status"),
    [
        ("", "0\n1\n2\n", 0),
        ("pay.other", "0\n1\n2\n", 0),
        ("pay.before_reply", "", EXIT_CODE),
        ("pay.before_reply:3", "0\n1\n", EXIT_CODE),
    ],
)
def test_the_environment_arms_a_point(spec: str, printed: str, status: int) -> None:
    environment = os.environ | {"TALLYPORT_CRASHPOINT": spec}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == (printed, status)


def test_a_file_arms_a_point_of_a_running_process_once(tmp_path: Path) -> None:
    file = tmp_path / "point"
    environment = os.environ | {"TALLYPORT_CRASHPOINT": f"@{file}"}

    def run() -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout, done.returncode

    file.write_text("pay.other")
    assert run() == ("0\n1\n2\n", 0)
    file.write_text("pay.before_reply")
    assert run() == ("", EXIT_CODE)
    assert run() == ("0\n1\n2\n", 0)


def test_a_point_armed_inside_a_test_raises_and_is_disarmed_after() -> None:
    with armed("x.y:2"):
        crashpoint("x.y")
        with pytest.raises(Crashed):
            crashpoint("x.y")
    crashpoint("x.y")
