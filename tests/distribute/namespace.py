"""A network namespace that has only the loopback interface.

TensorFlow's server listens on all interfaces, whatever address it is given, and asks for no
password. So no cluster starts where another interface exists.
"""

import fcntl
import shutil
import socket
import struct
import subprocess
import sys

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1  # Of Linux's <net/if.h> and <linux/sockios.h>.
_UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--kill-child"]


def obstacle():
    """Returns why a namespace cannot be had here, or None."""
    if shutil.which("unshare") is None:
        return "there is no `unshare` here"
    probe = [*command("-c", "from tests.distribute import namespace; namespace.enter()")]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no network namespace: {done.stderr.strip()[-300:]}"


def command(*arguments):
    """Returns the command that runs this Python with arguments in a new namespace."""
    return [*_UNSHARE, sys.executable, *arguments]


def enter():
    """Brings the loopback interface up, and refuses to go on if there is another one."""
    names = [name for _, name in socket.if_nameindex()]
    if names != ["lo"]:
        raise RuntimeError(f"a cluster starts only where `lo` is the one interface, not in {names}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _GET_FLAGS, request))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))
