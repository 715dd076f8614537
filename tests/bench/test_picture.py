"""The picture of a bench run shows its whole title, even with few panels."""

import pytest

from tf_sampled_compat.bench import growth, picture
from tf_sampled_compat.bench.steps import FUSED, STOCK

TITLE = "TensorFlow 2.21.0 and tf_sampled_compat 0.1.0, AMD EPYC 9V74 80-Core Processor, 16 threads"
SAMPLERS = [{"sampled": 64, "classes": 500, "ratio": 2.0}]
CELL = growth.cells(quick=True)[0]
NAMES = [growth.name(how, classes) for how in (STOCK, FUSED) for classes in CELL.classes]
GROWTH = growth.rows(CELL, dict.fromkeys(NAMES, 1.0))


@pytest.mark.parametrize("sections", [1, 2, 3])
def test_the_title_lies_inside(sections):
    names = ["samplers", "classes", "keras"][:sections]
    measured = {name: SAMPLERS if name == "samplers" else GROWTH for name in names}
    figure = picture.figure(measured, title=f"{TITLE}, avx512")
    figure.canvas.draw()
    box = figure._suptitle.get_window_extent()
    assert 0 < box.x0 and box.x1 < figure.bbox.width
    assert 0 < box.y0 and box.y1 < figure.bbox.height
    assert all(box.y0 > axes.title.get_window_extent().y1 for axes in figure.axes)


def test_stock_may_be_missing_for_large_tables():
    ms = {f"{STOCK} 200": 2.0, f"{FUSED} 200": 1.0, f"{FUSED} 2000": 1.5}
    small, large = growth.rows(CELL, ms)
    assert small["ratio"] == 2 and small["ours_growth"] == small["stock_growth"] == 1
    assert large["stock_ms"] is large["ratio"] is large["stock_growth"] is None
    assert large["ours_growth"] == 1.5 and large["classes"] == 2000
    assert growth.summary([small, large]) == {"the most growth of ours, same ids": 1.5}
