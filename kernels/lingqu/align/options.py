"""What a run of the aligner may be asked to do otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """mark: whether to mark duplicates. secondary: secondary records a read at most.

    eqx: whether CIGARs tell matches (=) from mismatches (X).
    aligner: NAME==VERSION of one that another package brings, "" for the built-in one.
    """

    mark: bool = True
    secondary: int = 0
    eqx: bool = False
    aligner: str = ""

    def words(self) -> list[str]:
        """The options as given on the command line; nothing where they are the usual ones."""
        words = [] if self.mark else ["--no-duplicates"]
        words += ["--secondary", str(self.secondary)] if self.secondary else []
        words += ["--eqx"] if self.eqx else []
        return [*words, "--aligner", self.aligner] if self.aligner else words
