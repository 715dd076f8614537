# Untyped on purpose: what the type checker finds must not depend on the installed release.
from typing import Any

def __getattr__(name: str) -> Any: ...
