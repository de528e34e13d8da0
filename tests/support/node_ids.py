"""Ids of tests under pytest 9.2, which keeps them where neither xdist 3.8 nor schemathesis 4.32 writes.

Without this, xdist's `--dist loadgroup` groups nothing (each worker starts a stack of its own), and all operations
of the API share one id, of which xdist runs just the first.
"""

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test an id of its own and, in a worker of loadgroup, the name of its group at the end.

    Who throws random input at the demo comes after all who look at it.
    """
    items.sort(key=lambda item: item.get_closest_marker("fuzz") is not None)
    grouped = getattr(config.option, "loadgroup", False)
    for item in items:
        path, _, name = item.nodeid.partition("::")
        wanted = name
        if (bracket := item.name.find("[")) > 0 and "[" not in name:
            wanted += item.name[bracket:]
        groups = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
        if grouped and groups and not wanted.endswith(suffix := f"@{'_'.join(groups)}"):
            wanted += suffix
        if wanted != name:
            # One name, parameters and all: the group must stay the last word when the id is put together again.
            item._id = NodeId(path=path, names=(wanted,))
    shared = len(items) - len({item.nodeid for item in items})
    if shared:
        raise pytest.UsageError(f"{shared} tests share the id of another: xdist would leave them out")
