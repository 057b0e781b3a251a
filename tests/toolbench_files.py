"""Small copies of ToolBench's retrieval data, as upstream's script writes them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # it publishes no types

Files = dict[str, bytes]


def api(number: int, **changed: Any) -> dict[str, Any]:
    """Return an API as it stands in the requests."""
    return {
        "category_name": "Weather",
        "tool_name": "Sky",
        "api_name": f"Get {number}",
        "api_description": f'says "{number}",\tpräzise\nand in rows',
        "required_parameters": [
            {"name": "city", "type": "STRING", "description": "Wo", "default": "Köln"}
        ],
        "optional_parameters": [],
        "method": "GET",
        "template_response": {"rain": "int"},
        **changed,
    }


def table(rows: list[tuple[Any, ...]], header: list[str] | None = None) -> bytes:
    """Return rows as pandas writes them for upstream."""
    text: str = pd.DataFrame(rows, columns=header).to_csv(
        sep="\t", index=False, header=header is not None
    )
    return text.encode()


def group(offered: int = 3) -> Files:
    """Return the files of one group: rows and queries repeat, as upstream's do.

    Test: q1 has documents 1 and 2, q2 has 3, q5 is q2 in other letters and has 1. Training: q3
    has 2, q2 (evaluated) has 1, and q4 (evaluated but for its punctuation) has 3.
    """
    documents = [(n, json.dumps(api(n))) for n in range(1, offered + 1)]
    rain = 'Will it\nrain in "Köln"?'
    return {
        "corpus.tsv": table([*documents, *documents[:2]], ["docid", "document_content"]),
        "test.query.txt": table([(1, rain), (2, "Sun?"), (1, rain), (5, " sun?")]),
        "qrels.test.tsv": table([(1, 0, 2, 1), (2, 0, 3, 1), (1, 0, 1, 1), (5, 0, 1, 1)]),
        "train.query.txt": table([(3, "Snow"), (2, "Sun?"), (4, "will it rain in Köln")]),
        "qrels.train.tsv": table([(3, 0, 2, 1), (2, 0, 1, 1), (4, 0, 3, 1)]),
    }


def archive_files(**groups: Files) -> Files:
    """Return place in upstream's archive -> content, with other things beside."""
    files = {
        f"data/retrieval/{name}/{file}": content
        for name, own in groups.items()
        for file, content in own.items()
    }
    return {
        "data/instruction/G1_query.json": b"[]",
        "__MACOSX/data/retrieval/G1/._corpus.tsv": b"\x00",
        **files,
    }


def as_folder(files: Files, path: Path) -> Path:
    """Write the files below ``path``."""
    for place, content in files.items():
        (path / place).parent.mkdir(parents=True, exist_ok=True)
        (path / place).write_bytes(content)
    return path


def as_zip(files: Files, path: Path) -> Path:
    """Write the files as a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in files.items():
            archive.writestr(place, content)
    return path


def as_tar(files: Files, path: Path) -> Path:
    """Write the files as a compressed tar archive."""
    with tarfile.open(path, "w:gz") as archive:
        for place, content in files.items():
            info = tarfile.TarInfo(place)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path
