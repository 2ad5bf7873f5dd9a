"""Why a machine does not let a command have a network of its own, in words for who can change it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_APPARMOR = "sys/kernel/apparmor_restrict_unprivileged_userns"
_SWITCH = "sys/kernel/unprivileged_userns_clone"
_USERS_MAX = "sys/user/max_user_namespaces"
_NETWORKS_MAX = "sys/user/max_net_namespaces"
_SECCOMP = "\nSeccomp:\t2"

_STEPS = {
    "unshare": "a namespace cannot be made",
    "users": "users of a namespace cannot be written down",
    "loopback": "the loopback interface of a namespace cannot be used",
    "address": "a namespace cannot be given an address",
    "route": "a namespace cannot be given a route to itself",
}


def words(step: str, number: int, *, proc: Path = Path("/proc")) -> str:
    """step, number: what the machine refused, and with which errno."""
    return f"{_STEPS.get(step, step)}: {_cause(step, number, proc) or os.strerror(number)}"


def _cause(step: str, number: int, proc: Path) -> str | None:
    """Known causes, the one that explains most first."""
    if not (proc / "self/ns/user").exists() or not (proc / "self/ns/net").exists():
        return "this kernel is built without user or network namespaces"
    for limit in (_USERS_MAX, _NETWORKS_MAX):
        if _read(proc / limit) == "0":
            return f"{_setting(limit)} is 0"
    if _read(proc / _SWITCH) == "0":
        return f"{_setting(_SWITCH)} is 0"
    if number not in (errno.EPERM, errno.EACCES):
        return None
    if _read(proc / _APPARMOR) == "1":
        return f"AppArmor forbids it to programs without a profile ({_setting(_APPARMOR)} is 1)"
    if step == "users" and os.geteuid() == 0:
        return "root needs the capability CAP_SETFCAP for that"
    if _SECCOMP in f"\n{_read(proc / 'self/status')}":
        return "a seccomp filter forbids it, as that of a container does"
    return None


def _setting(path: str) -> str:
    return path.removeprefix("sys/").replace("/", ".")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
