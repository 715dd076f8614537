"""Reads the output of a program: lines with a series' name, a step and a number."""


def read(text):
    """Returns {series: [numbers in order of steps]}; ignores other lines."""
    series = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1].isdigit():
            series.setdefault(parts[0], []).append(float(parts[2]))
    return series


def era(name):
    """Returns the era whose argument order a program has, as `install` takes it."""
    return "0.x" if name.endswith("_0x") else None
