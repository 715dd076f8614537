"""What a program of the corpus prints: lines of a series' name, a step and a number."""


def read(text):
    """Returns {series: [numbers in order of steps]}; other lines are none of its business."""
    series = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1].isdigit():
            series.setdefault(parts[0], []).append(float(parts[2]))
    return series


def era(name):
    """Returns the era whose argument order a program has, as `install` takes it."""
    return "0.x" if name.endswith("_0x") else None
