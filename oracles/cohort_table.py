#!/usr/bin/env python3
"""Oracle for cohort/table: what pandas and openpyxl read from the same files.

Writes cohort/table/testdata/oracle/: text.json (delimited text in many dialects, with the cells that
pandas reads), cells.xlsx + xlsx.json (raw cell values as openpyxl reads them) and pending.xlsx
(a formula without a stored value). Run with a Python that has pandas and openpyxl.
"""
import csv
import datetime
import io
import itertools
import json
import pathlib
import platform
import random
import re
import zipfile

import openpyxl
import pandas
from openpyxl.utils.datetime import to_excel

OUT = pathlib.Path(__file__).resolve().parent.parent / "cohort/table/testdata/oracle"
TRICKY = ["plain", "", "two words", 'a "quoted" word', "semi;colon", "com,ma", "tab\there", "line\nbreak", "Zoë", "乳腺", "007", "1e3", "-4"]


def text_cases():
    rng = random.Random(20260101)
    for sep, quoting, end, bom in itertools.product([",", ";", "\t"], [csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ["\n", "\r\n"], [False, True]):
        header = ["id", "value", "note one", "age"]
        rows = [[f"P{i:02d}", f"{rng.uniform(0, 9):.3f}", rng.choice(TRICKY), str(rng.randint(20, 90))] for i in range(12)]
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=sep, quoting=quoting, lineterminator=end)
        writer.writerow(header)
        for r in rows:
            cells = list(r)
            if sep == ";":
                cells[1] = cells[1].replace(".", ",")
            writer.writerow(cells)
        text = buffer.getvalue()
        read = pandas.read_csv(io.StringIO(text, newline=""), sep=sep, dtype=str, keep_default_na=False)
        cells = read.values.tolist()
        if sep == ";":
            for r in cells:
                r[1] = r[1].replace(",", ".")
        yield {"text": ("\ufeff" if bom else "") + text, "header": list(read.columns), "rows": [[c.strip() for c in r] for r in cells]}


def raw(value):
    """A cell as the file stores it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (datetime.datetime, datetime.date)):
        return repr(to_excel(value))
    return str(value)


def save(book, path):
    """Writes the workbook without the time of writing, so that a rerun gives the same bytes."""
    buffer = io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", old.read(name))
            new.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def xlsx():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "patients"
    sheet.append(["id", "size", "seen", "flag", "note"])
    sheet.append(["P1", 0.0078125, datetime.datetime(2023, 5, 1), True, "Zoë"])
    sheet.append([2, 1 / 3, datetime.datetime(2019, 12, 31, 12, 0), False, None])
    sheet.append(["007", -1.5e-7, None, None, " spaces "])
    sheet.append([None, None, None, None, None])
    sheet.append(["P5", 12345678901, datetime.datetime(1999, 1, 1), True, "a\nb"])
    book.create_sheet("dictionary").append(["id", "the patient"])
    save(book, OUT / "cells.xlsx")
    read = openpyxl.load_workbook(OUT / "cells.xlsx")["patients"]
    rows = [[raw(c.value) for c in r] for r in read.iter_rows()]
    return {"header": rows[0], "rows": [[c.strip() for c in r] for r in rows[1:] if any(r)], "lines": [2, 3, 4, 6]}


def pending():
    book = openpyxl.Workbook()
    book.active.append(["id", "twice"])
    book.active.append(["P1", "=2*3"])
    save(book, OUT / "pending.xlsx")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    meta = {"recipe": "oracles/cohort_table.py", "tolerance": 0, "reason": "text: equal to the character",
            "versions": {"python": platform.python_version(), "pandas": pandas.__version__, "openpyxl": openpyxl.__version__}}
    (OUT / "text.json").write_text(json.dumps({**meta, "cases": list(text_cases())}, indent=1, ensure_ascii=False) + "\n")
    (OUT / "xlsx.json").write_text(json.dumps({**meta, **xlsx()}, indent=1, ensure_ascii=False) + "\n")
    pending()


if __name__ == "__main__":
    main()
