"""The page of costs: its tables follow from its file, and its laws from their points."""

import numpy as np
import pytest

from benchmarks import bench_scale, scale_page, scale_table
from benchmarks.scale_table import Row


def rows(values: list[float], sizes: list[float]) -> list[Row]:
    return [
        Row("fit", "a part", "cpu_s", size, "requests", value, "CPU s")
        for size, value in zip(sizes, values, strict=True)
    ]


def test_the_tables_of_the_page_are_those_of_its_file() -> None:
    text = scale_page.PAGE.read_text(encoding="utf-8")
    _, _, rest = text.partition(scale_page.BEGIN)
    between, _, _ = rest.partition(scale_page.END)
    assert between == f"\n{scale_page.tables(scale_table.read())}", (
        "python -m benchmarks.bench_scale page"
    )


def test_a_line_is_found_exactly_and_with_its_interval() -> None:
    sizes = [1.0, 2.0, 4.0, 8.0]
    law = scale_table.fit(rows([3.0 + 2.0 * one for one in sizes], sizes))
    assert (law.intercept, law.slope) == pytest.approx((3.0, 2.0), rel=1e-12)
    assert law.slope_half == pytest.approx(0.0, abs=1e-9)
    assert law.at(100.0) == pytest.approx(203.0)
    power = scale_table.fit(rows([5.0 * one**0.5 for one in sizes], sizes))
    assert power.exponent == pytest.approx(0.5, rel=1e-12)


def test_the_interval_covers_the_slope_as_often_as_it_says() -> None:
    """2,000 ladders of four sizes with normal errors: the 95 % interval of the slope misses in 5 %
    of them, here within 1.5 points (3 standard errors: a false alarm in 1 of 400)."""
    random = np.random.default_rng(1)
    sizes = [1.0, 2.0, 4.0, 8.0]
    misses = 0
    for _ in range(2000):
        values = [1.0 + 2.0 * one + random.normal(0.0, 0.1) for one in sizes]
        law = scale_table.fit(rows(values, sizes))
        misses += abs(law.slope - 2.0) > law.slope_half
    assert misses / 2000 == pytest.approx(0.05, abs=0.015)


def test_new_rows_replace_those_of_their_measure(tmp_path) -> None:
    path = tmp_path / "scale.csv"
    scale_table.keep(rows([1.0, 2.0], [1.0, 2.0]), path)
    other = [one._replace(measure="disk_bytes") for one in rows([7.0], [1.0])]
    scale_table.keep(other, path)
    scale_table.keep(rows([4.0, 3.0], [8.0, 4.0]), path)
    assert [(o.measure, o.size, o.value) for o in scale_table.read(path)] == [
        ("disk_bytes", 1.0, 7.0), ("cpu_s", 4.0, 3.0), ("cpu_s", 8.0, 4.0),
    ]  # fmt: skip


def test_what_a_machine_lacks_is_said_instead_of_measured(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(bench_scale.hosts, "why_not", lambda: "only root makes hosts")
    monkeypatch.setattr("sys.argv", ["bench_scale", "wire", str(tmp_path)])
    before = scale_table.read()
    bench_scale.main()
    assert capsys.readouterr().out == "wire was not measured: only root makes hosts\n"
    assert scale_table.read() == before
    assert bench_scale.missing("sender") == ""
