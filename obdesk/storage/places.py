"""What is known of the place a file is at: its file system, whether it may be written, which file it is."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
NETWORK = frozenset(
    {
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "smb2",
            "9p",
            "afs",
            "ceph",
            "glusterfs",
            "lustre",
            "davfs",
        ),
        *("fuse.sshfs", "fuse.rclone", "fuse.davfs2", "fuse.glusterfs", "fuse.s3fs", "fuse.gvfsd-fuse"),
    }
)
"""File systems whose shared memory or locks another computer does not see."""
_ESCAPED = re.compile(r"\\(\d{3})")

Identity = tuple[int, int]
"""Device and number of a file: another file under the same name has another one."""


def file_system_of(path: Path) -> str:
    """Return the kind of file system a path is on, as the kernel calls it; empty where nobody tells."""
    if os.name == "nt":
        return "cifs" if str(path).startswith("\\\\") else ""
    try:
        lines = MOUNTS.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place, found, length = path.resolve(), "", -1
    for line in lines:
        _, mounted, kind, *_ = line.split(" ")
        folder = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), mounted))
        if len(folder.parts) >= length and place.is_relative_to(folder):
            found, length = kind, len(folder.parts)  # a later mount covers an earlier one
    return found


def on_network(path: Path) -> bool:
    """Tell whether a path is on a file system shared with other computers."""
    return file_system_of(path) in NETWORK


def identity(path: Path) -> Identity | None:
    """Return which file stands under a name, None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def cannot_be_written(path: Path) -> bool:
    """Tell whether neither a file nor anything beside it can be written."""
    return not os.access(path, os.W_OK) and not os.access(path.parent, os.W_OK)


def is_full(folder: Path) -> bool:
    """Tell whether a folder's disk has no room left at all; False where the system does not say (Windows)."""
    if not hasattr(os, "statvfs"):
        return False
    try:
        return os.statvfs(folder).f_bavail == 0
    except OSError:
        return False
