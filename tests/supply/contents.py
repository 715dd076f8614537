"""What must be in an sdist and in a wheel, and where two archives differ."""

import hashlib
import json
import re
import tarfile
import zipfile

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

# The newest glibc that a wheel may ask for: that of Debian 9. TensorFlow 2.21 itself asks for 2.27.
GLIBC = (2, 24)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def entries(archive):
    """Returns an archive's files in their order: name, header and content."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            return [
                (each.filename, (each.date_time, oct(each.external_attr >> 16)), opened.read(each))
                for each in opened.infolist()
            ]
    with tarfile.open(archive) as opened:
        return [
            (each.name, (each.mtime, oct(each.mode), each.uid, each.uname), read(opened, each))
            for each in opened.getmembers()
        ]


def read(opened, member):
    file = opened.extractfile(member)
    return file.read() if file else b""


def differences(one, other):
    """Returns in words where two archives differ; nothing if their bytes are the same."""
    if one.read_bytes() == other.read_bytes():
        return []
    first, second = entries(one), entries(other)
    if [name for name, *_ in first] != [name for name, *_ in second]:
        only = {name for name, *_ in first} ^ {name for name, *_ in second}
        return [f"the names of their files or their order: {sorted(only) or 'the order'}"]
    found = []
    for (name, header, content), (_, other_header, other_content) in zip(first, second):
        if header != other_header:
            found.append(f"{name}: {header} and {other_header}")
        if content != other_content:
            found.append(f"{name}: {len(content)} and {len(other_content)} bytes, not the same")
    return found or ["the archive's own header or its compression"]


def faults_of_sdist(archive, root):
    """Yields what an sdist lacks that building needs, and what it should not have."""
    names = {name.partition("/")[2] for name, *_ in entries(archive)}
    for folder in ("custom_ops/glue", "custom_ops/kernels"):
        for path in (root / folder).iterdir():
            wanted = path.relative_to(root).as_posix()
            if path.is_file() and wanted not in names:
                yield f"{archive.name}: {wanted} is missing"
    for wanted in ("custom_ops/Makefile", "setup.py", "pyproject.toml", "LICENSE", "SECURITY.md"):
        if wanted not in names:
            yield f"{archive.name}: {wanted} is missing"
    for name in names:
        if name.endswith((".so", ".o", ".pyc")):
            yield f"{archive.name}: {name} is a result of a build"


def faults_of_wheel(wheel):
    """Yields what is wrong with a wheel's platform or its bill of materials."""
    platform = re.search(r"-py3-none-manylinux_(\d+)_(\d+)_x86_64\b", wheel.name)
    if not platform or tuple(map(int, platform.groups())) > GLIBC:
        yield f"{wheel.name}: expected py3-none-manylinux_2_24_x86_64, or an older glibc"
    files = {name: content for name, _, content in entries(wheel)}
    libraries = {name for name in files if ".so" in name.rpartition("/")[2]}
    bills = [name for name in files if ".dist-info/sboms/" in name and name.endswith(".json")]
    if len(libraries) != 3 or not bills:
        yield f"{wheel.name}: expected three libraries and a bill, got {sorted(libraries)}, {bills}"
        return
    yield from faults_of_bills(libraries, [files[name].decode() for name in bills], files)


def faults_of_bills(libraries, bills, files):
    """Yields what bills of materials say that is not so, and the libraries that no bill lists."""
    listed = set()
    for text in bills:
        error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
        if error:
            yield f"the bill of materials is no CycloneDX 1.6: {error}"
        for component in json.loads(text).get("components", ()):
            name = component["name"]
            listed.add(name)
            for stated in component.get("hashes", ()):
                if stated["content"] != sha256(files.get(name, b"")):
                    yield f"the bill of materials states another hash of {name}"
    for name in sorted(libraries - listed):
        yield f"{name} is in no bill of materials"
