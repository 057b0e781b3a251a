"""Pinned files of one repository."""

from __future__ import annotations

from dataclasses import dataclass

from tool_bench.task import Source


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where files come from."""

    repository: str | None
    """``owner/name`` on GitHub; None for derived files that only a mirror offers."""
    revision: str
    """Commit."""
    license: str

    def file(self, path: str, sha256: str, size: int) -> Source:
        """Return the file at ``folder/rest`` of a mirror, which is ``rest`` in the repository."""
        _, _, rest = path.partition("/")
        url = f"https://raw.githubusercontent.com/{self.repository}/{self.revision}/{rest}"
        return Source(
            path=path,
            url=url if self.repository else None,
            revision=self.revision,
            sha256=sha256,
            size=size,
            license=self.license,
        )
