"""linbyol doctor"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Doctor:
    """Print versions, devices and precision, and run what known-bad releases of JAX compute wrongly.

    Example: linbyol doctor --json
    """

    json: bool = False
    """print JSON alone"""

    def run(self) -> int:
        from linbyol.claims import environment
        from linbyol.doctor import self_test
        from linbyol.store import to_json

        checks, machine = self_test(), environment()
        healthy = all(check.ok for check in checks)
        if self.json:
            print(to_json({"ok": healthy, "checks": [check._asdict() for check in checks], "environment": machine}))
            return 0 if healthy else 4
        print(f"linbyol {machine['linbyol']} on Python {machine['python']}, {machine['platform']}")
        print(", ".join(f"{name} {number}" for name, number in machine["versions"].items()))
        print(f"{machine['devices']} device(s): {machine['device']}; float64 {'on' if machine['x64'] else 'off'}")
        for check in checks:
            print(f"  {'ok  ' if check.ok else 'FAIL'} {check.name}: {check.found} ({check.thread})")
        if not healthy:
            print("This JAX computes wrong results; install a release that linbyol's requirements allow.")
        return 0 if healthy else 4
