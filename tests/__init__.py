"""The tests. Set before anything loads gRPC: its fork handlers may kill a child between fork and exec, and here
processes that serve gRPC start servers all the time.
"""

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
