"""What a person reads when the stack is ready: one address, the logins, and where to look."""

import json
from pathlib import Path

from devstack.stack import Stack


def announcement(stack: Stack) -> str:
    """The text, with the demo's logins when there are any."""
    environment = stack.environment
    address = environment.ports.address
    lines = ["", f"  Tallyport is ready in {stack.ready_seconds:g} s:  {environment.public_url}", ""]
    lines += [f"    {login}" for login in _logins(stack.layout.demo_logins_file)]
    lines += [
        f"  Mailbox       http://{address('mailbox')}",
        f"  Payment test  {environment.simulator_url}",
        f"  Traces        http://{address('traces')}",
        f"  Logs          {stack.layout.logs}",
        "",
        "  Ctrl-C or `tallyport down` stops it; data are kept.",
        "",
    ]
    return "\n".join(lines)


def _logins(file: Path) -> list[str]:
    if not file.exists():
        return []
    logins = json.loads(file.read_text())
    role_width, email_width = (max((len(x[key]) for x in logins), default=0) for key in ("role", "email"))
    rows = [f"{x['role']:<{role_width}}  {x['email']:<{email_width}}  {x['password']}" for x in logins]
    return [*rows, ""]
